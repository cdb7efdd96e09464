. "${BASH_SOURCE%/*}/common.bash"
exim_logs() { eng exec "$(compose ps -q exim)" cat /var/log/exim4/mainlog; }
exim_sees() {
  if within 20 eval "exim_logs | grep -F ' [$1] ' >/dev/null"; then pass "PROXY v2 tells Exim the same, $1"
  else fail "PROXY v2 does not tell Exim $1"; exim_logs | tail -6; fi
}
hello_arrived exim
delivers "$SRV" 2525 from-outside
message_in exim from-outside
sees treacle "\"client\":\"$CLI\"" "Treacle sees the client's own IPv4 address"
exim_sees "$CLI"
delivers "$SRV6" 2525 from-outside-6
sees treacle "\"client\":\"$CLI6\"" "Treacle sees the client's own IPv6 address"
exim_sees "$CLI6"
is_well treacle
