/** Runs the reasons of a stage: all at once, within a time limit, none able to do harm. */
import type { Clock, Ms } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { Eventual } from '../core/eventual.ts'
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
 * What the reasons of one stage find: at once when all of them know.
 *
 * A reason that throws or is too slow has found nothing; that is counted. Settles at the latest
 * after the time limit, or as soon as the client leaves.
 *
 * @throws `tools.signal.reason` when the client leaves.
 */
export function look<S extends Stage>(
  reasons: readonly Reason<S>[],
  facts: FactsAt[S],
  tools: Tools,
  watch: Watch,
): Eventual<readonly Finding[]> {
  const found: Found[] = []
  let slow: Slow<S>[] | null = null
  for (const reason of reasons) {
    const asked = ask(reason, facts, tools, watch)
    if (asked === null) continue
    if (asked instanceof Promise) {
      slow ??= []
      slow.push({ reason, at: found.length, asked })
    }
    found.push(asked instanceof Promise ? undefined : findingOf(reason, facts, asked, watch))
  }
  if (slow === null) return known(found)
  return wait(slow, found, facts, tools.signal, watch).then(() => known(found))
}

/** null: nothing was found; undefined: it is not known, or never will be. */
type Found = Finding | null | undefined

/** A reason that has to ask somebody. */
interface Slow<S extends Stage> {
  readonly reason: Reason<S>
  /** Where its finding belongs. */
  readonly at: number
  readonly asked: Promise<Evidence>
}

const nothing: readonly Finding[] = []

function known(found: readonly Found[]): readonly Finding[] {
  if (found.length === 0) return nothing
  return found.filter((finding) => finding != null)
}

/** An operator may have written it, so it may throw. */
function ask<S extends Stage>(
  reason: Reason<S>,
  facts: FactsAt[S],
  tools: Tools,
  watch: Watch,
): Eventual<Evidence> {
  try {
    return reason.find(facts, tools)
  } catch (error) {
    failed(reason, watch, messageOf(error))
    return null
  }
}

function findingOf<S extends Stage>(
  reason: Reason<S>,
  facts: FactsAt[S],
  evidence: Evidence,
  watch: Watch,
): Finding | null {
  if (evidence === null) return null
  const { name, stage, action, weight, excuses } = reason
  try {
    const header = reason.header(facts)
    return { reason: name, stage, evidence, action, weight, excuses, header }
  } catch (error) {
    failed(reason, watch, messageOf(error))
    return null
  }
}

function failed({ name }: { readonly name: string }, { log }: Watch, why: string): void {
  log.event('reason.failed', { reason: name, why })
}

/** Puts what the slow ones find in its place, for as long as they may take. One timer for all. */
async function wait<S extends Stage>(
  slow: readonly Slow<S>[],
  found: Found[],
  facts: FactsAt[S],
  signal: AbortSignal,
  watch: Watch,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let isOver = false
  let missing = slow.length
  const settle = (at: number, finding: Finding | null) => {
    found[at] = finding
    missing -= 1
    if (missing === 0) resolve()
  }
  for (const { reason, at, asked } of slow) {
    asked.then(
      (evidence) => isOver || settle(at, findingOf(reason, facts, evidence, watch)),
      (error: unknown) => {
        if (isOver || signal.aborted) return
        failed(reason, watch, messageOf(error))
        settle(at, null)
      },
    )
  }
  const stopTimer = watch.clock.after(watch.timeLimitMs, resolve)
  const leave = () => reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  try {
    await promise
  } finally {
    isOver = true
    stopTimer()
    signal.removeEventListener('abort', leave)
  }
  const tooSlow = slow.filter(({ at }) => found[at] === undefined)
  for (const { reason } of tooSlow) failed(reason, watch, 'took too long')
}
