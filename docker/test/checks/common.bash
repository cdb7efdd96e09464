# For the scripts that verify-image.sh --check reads: pass, fail, info, compose, eng, since and the
# two namespaces (NS: the host, NC: a client with the address CLI) come from there.

# service_logs SERVICE: all it has written
service_logs() { compose logs --no-color --no-log-prefix "$1" 2>&1; }

# within SECONDS COMMAND...: until it is true
within() { local end=$((SECONDS + $1)); shift; until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 1; done; }

# To the end of it: "grep -q" would leave early, and pipefail call that a failure.
said() { service_logs "$1" | grep -E -- "$2" >/dev/null; }

# deliver ADDRESS PORT SUBJECT: from the client's namespace, as a clean client
deliver() {
  cat >"$TMP/deliver.sh" <<'S'
exec 3<>"/dev/tcp/$1/$2" || exit 7
hear() { local l; while IFS= read -r -t 40 l <&3; do l=${l%$'\r'}; echo "      S: $l"; [ "${l:3:1}" = - ] || break; done; case $l in $1*) ;; *) exit 9;; esac; }
say() { printf '%s\r\n' "$1" >&3; }
hear 220; say 'EHLO mail.sender.example'; hear 250
say 'MAIL FROM:<alice@sender.example>'; hear 250
say 'RCPT TO:<postmaster@example.org>'; hear 250
say DATA; hear 354
printf 'From: alice@sender.example\r\nTo: postmaster@example.org\r\nSubject: %s\r\n\r\nHello.\r\n.\r\n' "$3" >&3; hear 250
say QUIT; hear 221
S
  nsenter --net=/run/netns/$NC timeout 90 bash "$TMP/deliver.sh" "$1" "$2" "$3" >"$TMP/deliver.log" 2>&1 9>&-
}

# delivers ADDRESS PORT SUBJECT: the same, until it works, as a check
delivers() {
  local t; t=$(now)
  if within 60 deliver "$@"; then pass "a message from $CLI is accepted at $1:$2 ($(since "$t"))"
  else fail "no message is accepted at $1:$2"; cat "$TMP/deliver.log"; compose logs --no-color --tail 12 2>&1 | sed 's/^/      /'; fi
}

# sees SERVICE PATTERN WHAT
sees() { if within 20 said "$1" "$2"; then pass "$3"; else fail "not so: $3"; service_logs "$1" | tail -12 | sed 's/^/      /'; fi; }

# message_in SERVICE SUBJECT: it lies in the back end's Maildir
message_in() {
  if within 20 eng exec "$(compose ps -q "$1")" grep -rlq "^Subject: $2" /var/mail/inbox/new; then pass "the message lies in the mailbox of $1"
  else fail "the message is not in the mailbox of $1"; service_logs "$1" | tail -12 | sed 's/^/      /'; fi
}

# is_well SERVICE: treacle health, which asks the back end as well
is_well() {
  if within 30 eng exec "$(compose ps -q "$1")" treacle health >"$TMP/health.log" 2>&1; then pass "treacle health: $(head -c 120 "$TMP/health.log")"
  else fail "treacle health: $(cat "$TMP/health.log")"; fi
}

# hello_arrived SERVICE: the first message of compose.yaml
hello_arrived() {
  sees hello '<- 250 .*[Qq]ueued|<- 250 .*id=' 'the first message is accepted'
  message_in "$1" 'Sent through Treacle'
}

# smoke IMAGE: the check that CI makes of an image, with the engine of this run
smoke() {
  if [ "$ENGINE" = docker ]; then
    printf '#!/bin/sh\nDOCKER_HOST=unix://%s/docker.sock DOCKER_CONFIG=%s/dockercfg exec %s/tools/bin/docker "$@"\n' "$TMP" "$TMP" "$VERIFY_DIR"
  else printf '#!/bin/sh\nCONTAINERS_CONF=%s/conf/run.conf exec nsenter --net=/run/netns/%s podman "$@"\n' "$VERIFY_DIR" "$NS"; fi >"$TMP/engine"
  chmod +x "$TMP/engine"
  if ENGINE=$TMP/engine timeout 180 docker/test/smoke.sh "$1" >"$TMP/smoke.log" 2>&1 9>&-; then pass 'docker/test/smoke.sh: version, settings, SBOM, user, health, SIGHUP and SIGTERM to process 1'
  else fail 'docker/test/smoke.sh'; tail -12 "$TMP/smoke.log"; fi
}
