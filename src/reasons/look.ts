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
  const asked = reasons.map((reason) => ask(reason, facts, tools, watch))
  const known = asked.filter((found): found is Found => !(found instanceof Promise))
  if (known.length === asked.length) return known.filter((finding) => finding !== null)
  const found = await Promise.all(asked)
  tools.signal.throwIfAborted()
  return found.filter((finding) => finding !== null)
}

type Found = Finding | null

/** Most reasons know at once, and are not made to wait for a promise. */
function ask<S extends Stage>(
  reason: Reason<S>,
  facts: FactsAt[S],
  tools: Tools,
  watch: Watch,
): Found | Promise<Found> {
  const found = (evidence: Evidence): Found => {
    if (evidence === null) return null
    const { name, stage, action, weight, excuses } = reason
    return { reason: name, stage, evidence, action, weight, excuses, header: reason.header(facts) }
  }
  const failed = (error: unknown): null => {
    if (!tools.signal.aborted) {
      watch.log.event('reason.failed', { reason: reason.name, why: messageOf(error) })
    }
    return null
  }
  try {
    const evidence = reason.find(facts, tools)
    if (!(evidence instanceof Promise)) return found(evidence)
    return withinLimit(evidence, tools.signal, watch).then(found).catch(failed)
  } catch (error) {
    return failed(error)
  }
}

async function withinLimit(
  evidence: Promise<Evidence>,
  signal: AbortSignal,
  { clock, timeLimitMs }: Watch,
): Promise<Evidence> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stopTimer = clock.after(timeLimitMs, () => reject(new Error('took too long')))
  const leave = () => reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([evidence, promise])
  } finally {
    stopTimer()
    signal.removeEventListener('abort', leave)
  }
}
