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
# The problem that docs/client-address.md is about: who comes over loopback is the bridge's gateway.
probe $NS 127.0.0.1 2525 >/dev/null || true
sees treacle '"client":"(10|172|192)[.][0-9]+[.][0-9]+[.]1"' "a client on the host itself seems to be the bridge's gateway"
