/**
 * The two consequences that are no wait: to be refused for a reason, and to be asked to come back.
 *
 * Neither is ever the default. Who is exempt from waiting is exempt from both, and a client that has
 * waited to the end is never asked to come back as well.
 */
import { splitAddress } from '../core/envelope.ts'
import type { Finding } from '../core/ledger.ts'
import { type Reply, reply } from '../core/reply.ts'
import type { Consequences } from '../delay/actions.ts'
import type { Greylist } from '../memory/greylist.ts'

/** The refusal that the findings lead to; null for none. */
export function refusalOf({ reject }: Consequences): Reply | null {
  return reject.length === 0 ? null : reply(550, '5.7.1', `Refused for ${namesOf(reject)}`)
}

/**
 * The reply that has a client come back later (RFC 6647 section 5); null when it may pass.
 *
 * @param network Its /24 or /64.
 */
export function laterFor(
  { greylist: because }: Consequences,
  network: string,
  sender: string,
  greylist: Greylist,
): Reply | null {
  if (because.length === 0 || greylist.passes(network, splitAddress(sender).domain)) return null
  return reply(450, '4.7.1', `Please try again later (${namesOf(because)})`)
}

function namesOf(findings: readonly Finding[]): string {
  return findings.map(({ reason }) => reason).join(', ')
}
