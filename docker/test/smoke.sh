#!/usr/bin/env bash
# smoke.sh IMAGE: with a plain Docker or Podman, is the image what it should be? (The thorough check is
# run.sh, which needs root on Debian.)
set -euo pipefail
image=${1:?usage: smoke.sh IMAGE}
engine=${ENGINE:-docker}
# Reads to the end: "grep -q" would leave, and pipefail call that a failure of the one before.
has() { grep -e "$1" >/dev/null; }
reloaded() { "$engine" logs "$id" 2>&1 | has '"event":"config.reloaded"'; }
hardened=(--read-only --cap-drop=ALL --security-opt=no-new-privileges --sysctl net.ipv4.ip_unprivileged_port_start=0)

"$engine" run --rm "${hardened[@]}" "$image" --version
"$engine" run --rm "${hardened[@]}" "$image" check
"$engine" run --rm --entrypoint cat "$image" /opt/treacle/sbom.cdx.json | has '"CycloneDX"'
"$engine" image inspect --format '{{json .Config.Labels}}' "$image" | has '"org.opencontainers.image.title":"treacle"'
[ "$("$engine" run --rm --entrypoint id "$image" -u)" = 1000 ]

id=$("$engine" run --detach "${hardened[@]}" "$image")
trap '"$engine" rm --force "$id" >/dev/null' EXIT
for _ in $(seq 60); do
  "$engine" exec "$id" treacle health --live && break
  sleep 0.5
done
"$engine" exec "$id" treacle health --live
"$engine" kill --signal HUP "$id" >/dev/null
for _ in $(seq 40); do
  reloaded && break
  sleep 0.5
done
reloaded || { echo 'no reload on SIGHUP'; exit 1; }
"$engine" stop --time 40 "$id" >/dev/null
code=$("$engine" inspect --format '{{.State.ExitCode}}' "$id")
[ "$code" = 0 ] || { echo "exit code $code after SIGTERM"; "$engine" logs "$id"; exit 1; }
echo "fine"
