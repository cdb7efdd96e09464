. "${BASH_SOURCE%/*}/common.bash"
hello_arrived postfix
delivers "$SRV" 2525 from-outside
message_in postfix from-outside
sees treacle "\"client\":\"$CLI\"" "Treacle sees the client's own address"
sees postfix "client=.*\[$CLI\]" 'XCLIENT tells Postfix the address of the client'
is_well treacle
