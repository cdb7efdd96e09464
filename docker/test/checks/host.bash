. "${BASH_SOURCE%/*}/common.bash"
greeted() { nsenter --net=/run/netns/$NC timeout 60 bash "$TMP/probe.sh" "$1" 25 >"$TMP/host.log" 2>&1 9>&-; }
for address in "$SRV" "$SRV6"; do
  if within 30 greeted "$address"; then pass "greets on port 25 of the host, $address"; else fail "no greeting on $address"; cat "$TMP/host.log"; compose logs --no-color --tail 8 2>&1; fi
done
sees treacle "\"client\":\"$CLI\"" "Treacle sees the client's own IPv4 address"
sees treacle "\"client\":\"$CLI6\"" "Treacle sees the client's own IPv6 address"
pid=$(eng inspect --format '{{.State.Pid}}' "$(compose ps -q treacle)")
uid=$(awk '/^Uid:/{print $3}' "/proc/$pid/status"); caps=$(awk '/^CapEff:/{print $2}' "/proc/$pid/status")
if [ "$uid" = 1000 ] && [ "$caps" = 0000000000000400 ]; then pass "it runs as uid 1000 with NET_BIND_SERVICE and nothing else"; else fail "uid $uid, capabilities $caps"; fi
if eng exec "$(compose ps -q treacle)" treacle health --live >/dev/null; then pass 'treacle health --live'; else fail 'treacle health --live'; fi
