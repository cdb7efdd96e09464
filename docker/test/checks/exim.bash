. "${BASH_SOURCE%/*}/common.bash"
hello_arrived exim
delivers "$SRV" 2525 from-outside
message_in exim from-outside
sees treacle "\"client\":\"$CLI\"" "Treacle sees the client's own address"
is_well treacle
