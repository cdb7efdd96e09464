/** Whether a client may come in at all; the door asks nobody else. */
import { type Client, mayBeFriend } from '../core/client.ts'
import type { Log } from '../observe/log.ts'
import { Session } from '../session/session.ts'
import type { Admission } from './admission.ts'
import { mayBeGateway } from './gateways.ts'
import { suspicionOf } from './greeting.ts'
import type { GateParts } from './parts.ts'

export const shortOfMemory = 'short of memory'

/** @returns Its session, counted; or which limit was reached. */
export function enter(
  client: Client,
  parts: GateParts,
  { admission, log }: { readonly admission: Admission; readonly log: Log },
): Session | string {
  const { governor, limits } = parts
  const { guard, networks, screening } = parts.session
  const { ip } = client
  const addressHidden = guard.hides(ip)
  const isListed = mayBeFriend(client) && screening.knownGood.matches({ ip, name: null })
  const knownGood = !addressHidden && isListed
  if (governor.turnsAway(0) && !knownGood) return shortOfMemory
  const shared = addressHidden || maySpeakForOthers(client, parts)
  const full = admission.enter({ ip, knownGood, shared }, limits)
  if (full !== null) return full
  if (addressHidden) log.event('guard.suspended', { client: ip.text })
  const fromNetwork = admission.fromNetwork(ip)
  const seenBefore = addressHidden ? null : networks.knows(ip.network)
  const addressDoubted = addressHidden || client.introduced || mayBeGateway(client, parts.gateways)
  const arrival = { fromNetwork, seenBefore, addressHidden, addressDoubted }
  return new Session(client, parts.session, arrival)
}

/** Whether this client may say that it speaks for others. */
export function maySpeakForOthers({ ip }: Client, { introducers }: GateParts): boolean {
  return introducers.some((network) => network.contains(ip))
}

/** Short of memory, the most suspicious of those who come now are not let in. */
export function comesTooLate(
  session: Session,
  talk: Buffer | null,
  { governor, session: parts }: GateParts,
): boolean {
  if (!governor.isShort || parts.observeOnly || session.screening.isKnownGood()) return false
  return governor.turnsAway(suspicionOf(session, talk, parts.delay.options.full_at).fraction)
}
