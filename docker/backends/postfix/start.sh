#!/bin/sh
# DOMAINS: which mail to take. XCLIENT_FROM: who may say who the client is.
set -eu
postconf -e "virtual_mailbox_domains=${DOMAINS:-example.org}" \
            "smtpd_authorized_xclient_hosts=${XCLIENT_FROM:-}" \
            "myhostname=$(hostname)"
exec postfix start-fg
