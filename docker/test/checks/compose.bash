. "${BASH_SOURCE%/*}/common.bash"
hello_arrived postfix
delivers "$SRV" 2525 from-outside
message_in postfix from-outside
sees treacle "\"client\":\"$CLI\"" "Treacle sees the client's own IPv4 address"
sees postfix "client=.*\[$CLI\]" 'XCLIENT tells Postfix the same'
delivers "$SRV6" 2525 from-outside-6
sees treacle "\"client\":\"$CLI6\"" "Treacle sees the client's own IPv6 address"
sees postfix "client=.*\[$CLI6\]" 'XCLIENT tells Postfix the same'
is_well treacle
smoke treacle

# The problem that docs/client-address.md is about: who comes over loopback is the bridge's gateway, as
# everybody is on networks that hide the client. Five hosts of five owners seem to have one address.
gateway='172[.]31[.]25[.]1'
for name in mail.example.com mail.example.org mail.example.net '[192.0.2.7]' '[198.51.100.7]' mx.example.com; do
  nsenter --net=/run/netns/$NS timeout 40 bash -c '
    exec 3<>/dev/tcp/127.0.0.1/2525; read -r line <&3; printf "EHLO %s\r\nQUIT\r\n" "$0" >&3; cat <&3 >/dev/null' "$name" 9>&- || true
done
sees treacle "\"client\":\"$gateway\"" "clients on the host itself seem to be the bridge's gateway"
sees treacle "\"event\":\"guard.tripped\",\"client\":\"$gateway\"" 'the guard says so, and what to do'
sees treacle "\"client\":\"$gateway\".*\"addressHidden\":true" 'and nobody is judged by that address any more'
if eng exec "$(compose ps -q treacle)" treacle health | grep 'many clients seem to have the address' >/dev/null; then pass 'treacle health says so too'
else fail 'treacle health does not say so'; fi
delivers "$SRV" 2525 from-outside-still
sees treacle "\"client\":\"$CLI\"" 'clients whose own address is seen are judged as ever'
