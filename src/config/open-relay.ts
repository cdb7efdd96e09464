/** What an operator hears whose back end would make an open relay of us, and when that is certain beforehand. */
import { endpointOf } from '../core/endpoint.ts'
import { ConfigError } from '../core/errors.ts'
import { isPrivate, parseIp } from '../core/ip.ts'
import { isDemanded, riskIn } from '../relay/open-relay.ts'
import type { BackendOptions } from '../relay/options.ts'

/** @param why As relay/open-relay.ts says it. */
export function openRelay(why: string): ConfigError {
  const what =
    `${why}. A mail server on a loopback or private address relays for whoever it takes for a friend, ` +
    'and would take us for one: Treacle would be an open relay. Either list the domains you take mail ' +
    'for in backend.recipient_domains, or let the back end accept XCLIENT from us (for Postfix: ' +
    'smtpd_authorized_xclient_hosts) and set backend.introduce = "xclient", or expect PROXY headers ' +
    '(Postfix, Exim, Dovecot, OpenSMTPD) and set "proxy-v2". With any of these Treacle also starts ' +
    'before the mail server does'
  return new ConfigError([{ where: '', key: 'backend', what }])
}

/**
 * Whether it need not be asked: it has a private address, is never told who the client is in a way that counts, and takes
 * mail for any domain.
 *
 * @throws ConfigError
 */
export function mustBeNoRelay(options: BackendOptions): void {
  const { introduce: how, recipient_domains, addresses } = options
  // What these demand or find out, only the back end can tell.
  if (how === 'auto' || isDemanded(how)) return
  const trusting = addresses.find((address) => {
    const ip = parseIp(endpointOf(address).host)
    return ip !== null && isPrivate(ip)
  })
  const trusts = trusting !== undefined
  const risk = riskIn({ how, told: false, listed: recipient_domains.length > 0, trusts })
  if (risk !== null) throw openRelay(`the back end at ${trusting} ${risk}`)
}
