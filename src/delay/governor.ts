/**
 * Keeps our memory within its budget, so that a flood of clients makes us faster and not dead.
 *
 * Looks once a second; nothing is measured while a client is served. V8 leaves garbage lying about
 * until it needs room, and while there is garbage nothing is short. So before anybody is shed it is
 * collected. That makes everybody wait, and V8 gives pages back only when it has had peace for some
 * seconds; so it is done now and then, and what was known after it holds in between.
 */
import type { Clock, Instant, Ms } from '../core/clock.ts'
import type { Memory } from '../core/memory.ts'
import type { Log } from '../observe/log.ts'
import type { Holder } from './holder.ts'
import { calm, type Measures, measuresFor, overBelow } from './pressure.ts'

export interface GovernorParts {
  readonly clock: Clock
  readonly log: Log
  readonly holder: Holder
  readonly memory: Memory
}

const everyMs: Ms = 1_000
/** A collection is followed by this long without one, and by so many times its own length. */
const restMs: Ms = 15_000
const restFactor = 20
/** At this part of the budget nobody asks any more what of it is garbage. */
const dangerFrom = 1.3

export class Governor {
  readonly #parts: GovernorParts
  #budgetBytes = 0
  #measures: Measures = calm
  #mayCollectAt: Instant = Number.NEGATIVE_INFINITY
  /** Bytes in use when there was no garbage last. */
  #knownBytes = 0
  #stopTimer: () => void = () => {}

  constructor(parts: GovernorParts) {
    this.#parts = parts
  }

  /** True from when memory is above the budget until it is well below. */
  get isShort(): boolean {
    return this.#measures.short
  }

  /**
   * Whether a newcomer is to be sent away.
   *
   * @param fraction Of the whole delay, what the reasons against him have earned so far.
   */
  turnsAway(fraction: number): boolean {
    return fraction >= this.#measures.turnAwayFrom
  }

  /** Looks from now on. @param budgetBytes 0 for no limit; then nothing is looked at. */
  watch(budgetBytes: number): void {
    this.stop()
    this.#budgetBytes = budgetBytes
    this.#look()
  }

  stop(): void {
    this.#stopTimer()
  }

  #look(): void {
    const { clock, log, holder } = this.#parts
    const budgetBytes = this.#budgetBytes
    if (budgetBytes > 0) this.#stopTimer = clock.after(everyMs, () => this.#look())
    const usedBytes = budgetBytes === 0 ? 0 : this.#measure()
    const { heldCount } = holder
    const wasShort = this.isShort
    this.#measures = measuresFor({ wasShort, usedBytes, budgetBytes, heldCount })
    holder.ease(this.#measures.releaseCount)
    if (this.isShort && !wasShort) {
      log.event('memory.short', { usedBytes, budgetBytes, held: heldCount })
    }
    if (!this.isShort && wasShort) log.event('memory.eased', { usedBytes })
  }

  /** Bytes in use, without garbage as far as that is known. */
  #measure(): number {
    const { clock, memory } = this.#parts
    const usedBytes = memory.inUse()
    const mattersFrom = this.isShort ? overBelow : 1
    if (usedBytes < mattersFrom * this.#budgetBytes) return usedBytes
    const startedAt = clock.now()
    if (startedAt >= this.#mayCollectAt) {
      memory.collect()
      this.#knownBytes = memory.inUse()
      const endedAt = clock.now()
      this.#mayCollectAt = endedAt + Math.max(restMs, restFactor * (endedAt - startedAt))
      return this.#knownBytes
    }
    const isDanger = usedBytes >= dangerFrom * this.#budgetBytes
    return isDanger ? usedBytes : Math.min(usedBytes, this.#knownBytes)
  }
}
