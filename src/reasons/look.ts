/** Runs the reasons of a stage: all at once, each with a time limit, none able to do harm. */
import type { Clock, Ms } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { Finding, Stage } from '../core/ledger.ts'
import type { Log } from '../observe/log.ts'
import type { Evidence, FactsAt, Reason, Tools } from './reason.ts'

export interface Watch {
  readonly clock: Clock
  readonly log: Log
  /** Longest time for one reason. */
  readonly timeLimitMs: Ms
}

/**
 * What the reasons of one stage find.
 *
 * A reason that throws or is too slow has found nothing; that is counted. Settles at the latest
 * after the time limit, or as soon as the client leaves.
 *
 * @throws `tools.signal.reason` when the client leaves.
 */
export async function look<S extends Stage>(
  reasons: readonly Reason<S>[],
  facts: FactsAt[S],
  tools: Tools,
  watch: Watch,
): Promise<Finding[]> {
  const found = await Promise.all(reasons.map((reason) => ask(reason, facts, tools, watch)))
  tools.signal.throwIfAborted()
  return found.filter((finding) => finding !== null)
}

async function ask<S extends Stage>(
  reason: Reason<S>,
  facts: FactsAt[S],
  tools: Tools,
  watch: Watch,
): Promise<Finding | null> {
  const { name, stage, action, weight, excuses } = reason
  try {
    const evidence = await withinLimit(reason, facts, tools, watch)
    if (evidence === null) return null
    return { reason: name, stage, evidence, action, weight, excuses, header: reason.header(facts) }
  } catch (error) {
    if (!tools.signal.aborted) {
      watch.log.event('reason.failed', { reason: name, why: messageOf(error) })
    }
    return null
  }
}

async function withinLimit<S extends Stage>(
  reason: Reason<S>,
  facts: FactsAt[S],
  tools: Tools,
  { clock, timeLimitMs }: Watch,
): Promise<Evidence> {
  const { signal } = tools
  const answer = reason.find(facts, tools)
  if (!(answer instanceof Promise)) return answer
  const { promise, reject } = Promise.withResolvers<never>()
  const stopTimer = clock.after(timeLimitMs, () => reject(new Error('took too long')))
  const leave = () => reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([answer, promise])
  } finally {
    stopTimer()
    signal.removeEventListener('abort', leave)
  }
}
