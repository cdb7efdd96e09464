/**
 * Never an open relay: may this back end be used, given what it knows of the client?
 *
 * A mail server on our own host or network trusts our address and relays for whoever it takes for
 * us. So it must be told who the client is, in a way that reaches its judgement, or be asked for
 * listed domains only. XFORWARD reaches its log only (XFORWARD_README), so it does not count.
 */
import type { Socket } from 'node:net'
import { type Recipient, splitAddress } from '../core/envelope.ts'
import { isPrivate, parseIp } from '../core/ip.ts'
import type { BackendOptions } from './options.ts'

export type Introducing = BackendOptions['introduce']

export interface Situation {
  readonly how: Introducing
  /** Whether the back end judges this client by its own address. */
  readonly told: boolean
  /** Whether mail is passed on for listed domains only. */
  readonly listed: boolean
  /** Whether the back end would take our address for that of a friend. */
  readonly trusts: boolean
}

/** True when a conversation in which the back end is not told is never used for mail. */
export function isDemanded(how: Introducing): boolean {
  return how === 'xclient' || isProxied(how)
}

export function isProxied(how: Introducing): how is 'proxy-v1' | 'proxy-v2' {
  return how === 'proxy-v1' || how === 'proxy-v2'
}

/** What speaks against using it, to be read after "the back end at ..."; null when nothing does. */
export function riskIn({ how, told, listed, trusts }: Situation): string | null {
  if (isDemanded(how) && !told) {
    const what = isProxied(how) ? 'does not understand PROXY headers' : 'does not offer XCLIENT'
    return `${what}, which backend.introduce demands`
  }
  if (trusts && !told && !listed) return 'would trust our address and is not told who the client is'
  return null
}

/** Whether what is at the other end takes us for itself or for a neighbour. */
export function trustsUs({ remoteAddress, localAddress }: Socket): boolean {
  return remoteAddress === localAddress || isPrivateText(remoteAddress)
}

export function isPrivateText(address: string | undefined): boolean {
  const ip = parseIp(address ?? '')
  return ip === null || isPrivate(ip)
}

/** True when mail for this address may be passed on; the bare "postmaster" has none and may always. */
export function takesDomain(recipientDomains: readonly string[], address: string): boolean {
  const { domain } = splitAddress(address)
  if (recipientDomains.length === 0 || domain === '') return true
  return recipientDomains.some((listed) =>
    listed.startsWith('*.') ? domain.endsWith(listed.slice(1)) : domain === listed,
  )
}

/**
 * True when the local part may name another domain to a server that trusts us, quoted or not:
 * "user%host", "host!user", "user@host", "@host:user". The domain behind the last "@" is then only
 * the first hop. Postfix (allow_percent_hack, swap_bangpath) and Sendmail send such mail on.
 */
function mayRouteOn({ address }: Recipient): boolean {
  return /[%!@:]/.test(splitAddress(address).local)
}

/**
 * Where there is a recipient that a back end which may relay for us is not asked for: the new one, or
 * among those that another back end has agreed to, since it was told who the client is.
 *
 * @param known Those that this one has yet to hear of.
 */
export function strayIn(
  known: readonly Recipient[],
  recipient: Recipient | null,
): 'new' | 'known' | null {
  if (known.some(mayRouteOn)) return 'known'
  return recipient !== null && mayRouteOn(recipient) ? 'new' : null
}

/** Where a socket leads to, for the log. */
export function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`
}
