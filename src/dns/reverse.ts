/**
 * Who an address claims to be, and whether that is so.
 *
 * The owner of an address publishes any name he likes for it (PTR). Only the owner of the name can
 * make it lead back to the address. A name that does both is confirmed; this is what Exim calls
 * $sender_host_name and RFC 8601 section 2.7.3 calls iprev. Names that excuse a client must be
 * confirmed, names that accuse it need not be.
 */
import { allOf, type Eventual, eventually } from '../core/eventual.ts'
import { type Ip, parseIp } from '../core/ip.ts'
import type { Dns } from './resolver.ts'

export interface Identity {
  /**
   * - `confirmed`: some name leads back to the address.
   * - `unconfirmed`: there are names, and all of them lead elsewhere or nowhere.
   * - `none`: the address has no name.
   * - `unavailable`: the DNS did not tell, which proves nothing.
   */
  readonly state: 'confirmed' | 'unconfirmed' | 'none' | 'unavailable'
  /** The names of the address (PTR), as its owner claims them. */
  readonly pointers: readonly string[]
  /** Those that lead back to the address, in the order of `pointers`. */
  readonly confirmed: readonly string[]
  /** What failed when `state` is `unavailable`, else "". */
  readonly why: string
}

/**
 * Finds the names of an address and checks each, all at once.
 *
 * @throws `signal.reason` as soon as `signal` aborts.
 */
export function identify(ip: Ip, dns: Dns, signal: AbortSignal): Eventual<Identity> {
  return eventually(dns.pointers(ip, signal), (answer): Eventual<Identity> => {
    if (answer.kind === 'none') return nameless
    if (answer.kind === 'unavailable') return unavailable([], answer.why)

    const claims = allOf(answer.records.map((name) => leadsBack(name, ip, dns, signal)))
    return eventually(claims, (known) => judged(answer.records, known))
  })
}

function judged(pointers: readonly string[], claims: readonly (boolean | string)[]): Identity {
  const confirmed = pointers.filter((_, index) => claims[index] === true)
  if (confirmed.length > 0) return { state: 'confirmed', pointers, confirmed, why: '' }

  const failure = claims.find((claim) => typeof claim === 'string')
  if (failure !== undefined) return unavailable(pointers, failure)
  return { state: 'unconfirmed', pointers, confirmed: [], why: '' }
}

/** One for all of them: there may be thousands, who only wait. */
const nameless: Identity = { state: 'none', pointers: [], confirmed: [], why: '' }

/** Whether an address is among those of a name; a text when the DNS did not tell, saying why. */
function leadsBack(
  name: string,
  ip: Ip,
  dns: Dns,
  signal: AbortSignal,
): Eventual<boolean | string> {
  return eventually(dns.addresses(name, ip.family, signal), (answer) => {
    if (answer.kind === 'unavailable') return answer.why
    return answer.kind === 'found' && answer.records.some((text) => parseIp(text)?.text === ip.text)
  })
}

function unavailable(pointers: readonly string[], why: string): Identity {
  return { state: 'unavailable', pointers, confirmed: [], why }
}
