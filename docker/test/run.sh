#!/usr/bin/env bash
# Builds the image and runs every compose file in network namespaces of its own, as root on Debian,
# with Podman (or "run.sh --engine docker"). Takes some minutes the first time. Not part of npm test.
set -euo pipefail
cd "$(dirname "$0")/../.."
verify=docker/test/verify-image.sh
failed=
"$verify" . "$@" || failed="$failed image"
for name in compose host haproxy exim; do
  file=docker/compose.$name.yaml
  [ "$name" = compose ] && file=docker/compose.yaml
  "$verify" . --skip-run --compose-file "$file" --check "docker/test/checks/$name.bash" "$@" || failed="$failed $name"
done
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
