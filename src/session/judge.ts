/**
 * Judges a connection that is only told about: by the same reasons, screening and arithmetic as one
 * that is live, without a socket, a wait or a back end.
 *
 * Without a Dns to ask, the answers are what the record holds and everything else is `unavailable`,
 * which proves nothing. See config/judging.ts for how to come by `Judging`.
 */
import type { Clock } from '../core/clock.ts'
import { plainSender } from '../core/envelope.ts'
import { type Ip, parseIp } from '../core/ip.ts'
import { Leaving } from '../core/leaving.ts'
import type { Finding } from '../core/ledger.ts'
import { consequencesOf } from '../delay/actions.ts'
import { type Verdict, weigh } from '../delay/weigh.ts'
import type { Answer, Dns } from '../dns/resolver.ts'
import { Screening, type ScreeningParts } from './screening.ts'

/** What somebody has written down about a connection. */
export interface Hearsay {
  readonly ip: Ip
  /** The name of the address (PTR) as it was recorded; "" for none. */
  readonly name: string
  /**
   * - `verified`: it led back to the address.
   * - `unverified`: it did not.
   * - `none`: the address had no name.
   * - `unknown`: none, or one that does not lead back; the record does not say which.
   * - `unrecorded`: nothing was written down.
   */
  readonly nameState: 'verified' | 'unverified' | 'none' | 'unknown' | 'unrecorded'
  /** "" when it is not known; HELO is then not judged. */
  readonly helo: string
  /** MAIL FROM; "" for the null sender, null when it is not known. "@example.org" will do. */
  readonly sender: string | null
  /** RCPT TO; null when it is not known. */
  readonly recipient: string | null
  /** How many it gave; 1 when it is not known. */
  readonly recipientCount?: number
  /** What it said before the greeting; null when that is not known or was nothing. */
  readonly earlyTalk?: string | null
}

export interface Judging extends Omit<ScreeningParts, 'dns'> {
  readonly clock: Clock
  /** The sum that earns the whole target. */
  readonly fullAt: number
}

/** What would have been found and what it comes to; `weighed` tells evidence, weight, excuses. */
export interface Judgement extends Verdict {
  /** All that was found, also what is only written down. */
  readonly findings: readonly Finding[]
}

/** @param dns Whom to ask; without it, the record. */
export async function judge(
  hearsay: Hearsay,
  { fullAt, ...parts }: Judging,
  dns: Dns = recordedDns(hearsay),
): Promise<Judgement> {
  const { ip, helo, sender, recipient, recipientCount = 1, earlyTalk = null } = hearsay
  const local = { address: '0.0.0.0', port: 25 }
  const screening = new Screening(
    { id: '', ip, port: 0, local, introduced: false },
    { ...parts, dns },
    { fromNetwork: 1, seenBefore: null, addressHidden: false, addressDoubted: false },
    new Leaving(),
  )
  screening.arrived()
  screening.greeted(earlyTalk)
  if (helo !== '') screening.hello(helo)
  const address = sender ?? ''
  screening.mail(plainSender(address))
  const findings = await screening.findings(recipient ?? '', { recipientCount, refusedCount: 0 })
  return { ...weigh(consequencesOf(findings).delay, fullAt), findings }
}

/** DNS as far as the record tells. */
export function recordedDns({ ip, name, nameState }: Hearsay): Dns {
  const unavailable: Answer<string> = { kind: 'unavailable', why: 'nobody was asked' }
  const none: Answer<string> = { kind: 'none' }
  const known = name.toLowerCase().replace(/\.$/, '')
  const hasName = nameState === 'verified' || nameState === 'unverified'
  return {
    async addresses(asked, family) {
      if (!hasName || family !== ip.family || asked.toLowerCase() !== known) return unavailable
      return nameState === 'verified' ? { kind: 'found', records: [ip.text] } : none
    },
    async pointers(asked) {
      if (parseIp(asked.text)?.text !== ip.text) return unavailable
      if (hasName) return { kind: 'found', records: [known] }
      return nameState === 'none' ? none : unavailable
    },
    texts: async () => unavailable,
    exchanges: async () => unavailable,
  }
}
