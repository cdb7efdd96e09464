. "${BASH_SOURCE%/*}/common.bash"
delivers "$SRV" 25 from-outside
message_in postfix from-outside
sees treacle "\"client\":\"$CLI\"" "PROXY v2 tells Treacle the client's own IPv4 address"
sees postfix "client=.*\[$CLI\]" 'XCLIENT tells Postfix the same'
delivers "$SRV6" 25 from-outside-6
sees treacle "\"client\":\"$CLI6\"" "and the client's own IPv6 address"
is_well treacle
