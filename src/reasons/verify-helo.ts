/**
 * Is a client who it says it is in HELO? The three ways in which Exim verifies (`verify = helo`),
 * without the two defects measured there: a literal is compared as an address, not as the beginning
 * of a text, and an IPv6 literal in any spelling counts.
 */
import { type Ip, parseAddressLiteral, parseIp } from '../core/ip.ts'
import type { Tools } from './reason.ts'

/** `unknown`: a look-up failed, which proves nothing either way. */
export type HeloVerdict = 'verified' | 'refuted' | 'unknown'

export async function verifyHelo(helo: string, client: Ip, tools: Tools): Promise<HeloVerdict> {
  const literal = parseAddressLiteral(helo)
  if (literal !== null) return literal.text === client.text ? 'verified' : 'refuted'

  const claimed = helo.toLowerCase().replace(/\.$/, '')
  const [identity, addresses] = await Promise.all([
    tools.identify(),
    tools.dns.addresses(claimed, client.family, tools.signal),
  ])
  if (identity.confirmed.includes(claimed)) return 'verified'
  if (addresses.kind === 'found') {
    const leadsHere = addresses.records.some((text) => parseIp(text)?.text === client.text)
    if (leadsHere) return 'verified'
  }
  const sure = identity.state !== 'unavailable' && addresses.kind !== 'unavailable'
  return sure ? 'refuted' : 'unknown'
}
