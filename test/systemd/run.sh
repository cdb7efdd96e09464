#!/usr/bin/env bash
# The units under a real systemd: boots a Debian with the npm package in it, in namespaces of its own, and
# asks port 25. As root on Debian; needs mmdebstrap and a minute. Not part of npm test.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v mmdebstrap >/dev/null || { echo 'missing: mmdebstrap' >&2; exit 2; }
cache=${CACHE:-/var/tmp/treacle-systemd}
mkdir -p "$cache"
work=$(mktemp -d "$cache/run.XXXXXX") root=$work/root failed=0 boot=
cleanup() {
  # unshare hears no SIGTERM; its child, the first process of the namespace, takes all others with it.
  [ -z "$boot" ] || kill -KILL "$boot" 2>/dev/null || true
  [ -z "$boot" ] || wait "$boot" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT

[ -s "$cache/debian.tar" ] || {
  mmdebstrap --quiet --format=tar --variant=minbase --include=systemd,systemd-sysv,procps bookworm "$cache/debian.tar.part"
  mv "$cache/debian.tar.part" "$cache/debian.tar"
}
mkdir "$root"
tar --extract --file "$cache/debian.tar" --directory "$root" --exclude './dev/*'
npm pack --silent --pack-destination "$work" >/dev/null
npm install --silent --global --prefix "$root/usr/local" "$work"/treacle-*.tgz
cp "$(node --print process.execPath)" "$root/usr/local/bin/node"
cp systemd/treacle.service systemd/treacle.socket "$root/etc/systemd/system/"
mkdir -p "$root/etc/treacle" "$root/old"
config=$root/etc/treacle/treacle.toml
printf '%s = %s\n' name '"mx.example.org"' backend.introduce '"xclient"' greeting.pause '"0s"' \
  log.mainlog '"/var/log/treacle/mainlog"' \
  tls.certificate '"/etc/treacle/tls/fullchain.pem"' tls.key '"/etc/treacle/tls/privkey.pem"' >"$config"
cp "$config" "$work/good.toml"
# The key as docs/tls.md has it: for a group that the drop-in names.
chroot "$root" groupadd --system treacle-tls
install -d -m 0750 "$root/etc/treacle/tls" "$root/etc/systemd/system/treacle.service.d"
install -m 0640 test/fixtures/mx.example.org.crt "$root/etc/treacle/tls/fullchain.pem"
install -m 0640 test/fixtures/mx.example.org.key "$root/etc/treacle/tls/privkey.pem"
chroot "$root" chgrp --recursive treacle-tls /etc/treacle/tls
printf '[Service]\nSupplementaryGroups=treacle-tls\n' >"$root/etc/systemd/system/treacle.service.d/override.conf"
chroot "$root" systemctl --quiet enable treacle.socket treacle.service

cat >"$work/boot" <<'E2'
set -e
cd "$1"
mount --make-rprivate /
mount --bind . .
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup || {
  mount -t tmpfs tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
}
for place in run tmp dev; do mount -t tmpfs tmpfs "$place"; done
for name in null zero full random urandom tty; do cp -a "/dev/$name" dev/; done
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
pivot_root . old
exec env -i container=treacle-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  chroot . sh -c 'umount -l /old; exec /sbin/init --log-target=journal --show-status=no'
E2
unshare --pid --fork --kill-child --mount --uts --net --ipc --cgroup sh "$work/boot" "$root" >"$work/boot.log" 2>&1 &
boot=$!

inside() { nsenter --target "$(pgrep --parent "$boot")" --all env --ignore-environment PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
check() { if "${@:2}"; then echo "   PASS  $1"; else echo "   FAIL  $1"; failed=1; fi; }
within() { local end=$((SECONDS + $1)); until "${@:2}" 2>/dev/null; do [ $SECONDS -lt $end ] || return 1; sleep 0.3; done; }
active() { [ "$(inside systemctl is-active "$1" 2>/dev/null)" = active ]; }
greeting() { inside timeout 20 bash -c "exec 3<>/dev/tcp/$1/25; head -1 <&3" | grep -q '^220 mx.example.org'; }
# grep reads to the end: with -q it would leave early, and the writer's SIGPIPE would count as a failure.
offers_tls() { inside timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/25; read -r _ <&3; printf 'EHLO x.example.org\r\nQUIT\r\n' >&3; cat <&3" | grep STARTTLS >/dev/null; }
main_pid() { inside systemctl show --property MainPID --value treacle; }
status_has() { inside grep -qP "$1" "/proc/$(main_pid)/status"; }
is_failed() { [ "$(inside systemctl is-failed treacle)" = failed ]; }
waits_for_the_next() {
  inside systemctl --quiet stop treacle.service 2>/dev/null
  inside timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/25; head -1 <&3' >"$work/greeted" &
  local client=$!
  sleep 1
  inside systemctl start treacle.service
  wait "$client"
  grep -q '^220 ' "$work/greeted"
}

check 'systemd has started it' within 30 active treacle.service
check 'greets on port 25, IPv4' within 20 greeting 127.0.0.1
check 'greets on port 25, IPv6' greeting ::1
check 'offers STARTTLS with a key that its group may read' offers_tls
check 'under a user of its own' status_has '^Uid:\t6\d{4}\t'
check 'with no capability' status_has '^CapEff:\t0+$'
check 'with a filter of system calls' status_has '^Seccomp:\t2$'
check 'treacle health --live' eval 'inside treacle health --live >/dev/null'
check 'its key is in the state folder' inside test -s /var/lib/treacle/delay.key
check 'its main log is in the log folder' inside test -e /var/log/treacle/mainlog
check 'reload' inside systemctl reload treacle
check 'who comes between two runs waits' waits_for_the_next
check 'restart' inside systemctl restart treacle
check 'what Node compiled is in the cache folder' inside sh -c 'ls /var/cache/treacle/*/* >/dev/null'
check 'runs again' within 20 greeting 127.0.0.1
echo 'nonsense = 1' >>"$config"
check 'reload with a wrong configuration fails' eval '! inside systemctl reload treacle 2>/dev/null'
check 'and it goes on' active treacle.service
inside systemctl restart treacle 2>/dev/null || true
check 'a start with a wrong configuration fails for good' within 20 is_failed
cp "$work/good.toml" "$config"
check 'until it is mended' inside systemctl restart treacle.socket treacle.service
check 'runs again' within 20 greeting 127.0.0.1

[ $failed = 0 ] || { inside journalctl --no-pager --lines 40 || true; cat "$work/boot.log"; }
exit $failed
