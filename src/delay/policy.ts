/**
 * How long a reply takes when there are reasons. Pure arithmetic: no clock, no client, no mail.
 *
 * Flavell's rule: the reply to RCPT takes the target in all, whatever part of it went into looking
 * things up; what is left is waited, at least a second (seed document 004).
 */
import { createHmac } from 'node:crypto'
import type { Ms } from '../core/clock.ts'
import type { DelayOptions } from './options.ts'

/** The shortest wait, when one is due at all. */
export const leastMs = 1_000

export interface Circumstances {
  /** How much of the target the findings have earned: 0 for none of it, 1 for the whole. */
  readonly fraction: number
  /** What a full delay is for this client's network. */
  readonly targetMs: Ms
  /** What has passed since the command arrived. */
  readonly lookupMs: Ms
  /** What this connection has waited already. */
  readonly waitedMs: Ms
  readonly nullSender: boolean
  /** Authenticated, known good, or a recipient that nobody waits for. */
  readonly exempt: boolean
  /** Already paid for under the configured scope. */
  readonly paid: boolean
}

/** @returns The wait that is due, in milliseconds; 0 for none. */
export function waitDue(circumstances: Circumstances, options: DelayOptions): Ms {
  const { fraction, targetMs, lookupMs, waitedMs, nullSender, exempt, paid } = circumstances
  if (exempt || paid || fraction === 0) return 0
  const earnedMs = Math.min(targetMs, Math.max(leastMs, fraction * targetMs))
  // Whoever verifies an address times the whole reply, so the limit is one for look-ups and wait.
  const longestMs = nullSender ? Math.min(earnedMs, options.null_sender_max) : earnedMs
  const residualMs = Math.max(leastMs, longestMs - lookupMs)
  return Math.max(0, Math.min(residualMs, longestMs, options.session_budget - waitedMs))
}

/**
 * The point of a network in the range of targets: always the same for one key, another for another
 * key, so that nobody can learn the number of one installation at a second one, or average it out.
 *
 * @param network A /24 or /64.
 */
export function targetFor(network: string, key: Buffer, { target }: DelayOptions): Ms {
  const digest = createHmac('sha256', key).update(network).digest()
  const fraction = digest.readUInt32BE(0) / 0x1_0000_0000
  return Math.round(target.shortestMs + fraction * (target.longestMs - target.shortestMs))
}
