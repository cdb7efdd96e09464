/**
 * Keeps our memory within its budget, so that a flood of clients makes us faster and not dead.
 *
 * Looks once a second; nothing is measured while a client is served.
 */
import type { Clock, Ms } from '../core/clock.ts'
import type { Log } from '../observe/log.ts'
import type { Holder } from './holder.ts'
import { calm, type Measures, measuresFor } from './pressure.ts'

export interface GovernorParts {
  readonly clock: Clock
  readonly log: Log
  readonly holder: Holder
  /** Bytes in use. */
  readonly memoryInUse: () => number
}

const everyMs: Ms = 1_000

export class Governor {
  readonly #parts: GovernorParts
  #budgetBytes = 0
  #measures: Measures = calm
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
    const { clock, log, holder, memoryInUse } = this.#parts
    const budgetBytes = this.#budgetBytes
    const usedBytes = budgetBytes === 0 ? 0 : memoryInUse()
    const { heldCount } = holder
    const wasShort = this.isShort
    this.#measures = measuresFor({ wasShort, usedBytes, budgetBytes, heldCount })
    holder.ease(this.#measures.releaseCount)
    if (this.isShort && !wasShort) {
      log.event('memory.short', { usedBytes, budgetBytes, held: heldCount })
    }
    if (!this.isShort && wasShort) log.event('memory.eased', { usedBytes })
    if (budgetBytes > 0) this.#stopTimer = clock.after(everyMs, () => this.#look())
  }
}
