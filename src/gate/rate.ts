/**
 * How often somebody has come in the last minute, for as many as come.
 *
 * A sliding window of two halves: those of the window that runs, and of the one before the part that
 * still lies within a window's length from now, taken as spread evenly. So each needs two numbers,
 * nothing is ever swept, and what nobody asks for any more is dropped by the map.
 */
import type { Clock, Instant, Ms } from '../core/clock.ts'

export interface RateOptions {
  readonly windowMs: Ms
  /** Who is remembered in one window, at most. With more, a new window begins early. */
  readonly keysMax: number
}

export class Rate {
  readonly #clock: Clock
  readonly #options: RateOptions
  #beganAt: Instant
  #now = new Map<string, number>()
  #before: ReadonlyMap<string, number> = new Map()

  constructor(clock: Clock, options: RateOptions) {
    this.#clock = clock
    this.#options = options
    this.#beganAt = clock.now()
  }

  /** How many keys are remembered: at most twice `keysMax`. */
  get remembered(): number {
    return this.#now.size + this.#before.size
  }

  /** About how often `key` has been added in the last `windowMs`. */
  of(key: string): number {
    const passedMs = this.#turn()
    const share = 1 - passedMs / this.#options.windowMs
    return (this.#now.get(key) ?? 0) + (this.#before.get(key) ?? 0) * share
  }

  add(key: string): void {
    this.#turn()
    const count = this.#now.get(key)
    if (count === undefined && this.#now.size >= this.#options.keysMax) this.#begin(this.#now)
    this.#now.set(key, (this.#now.get(key) ?? 0) + 1)
  }

  /** Begins a new window when it is time. @returns How long the one that runs has lasted. */
  #turn(): Ms {
    const passedMs = this.#clock.now() - this.#beganAt
    if (passedMs < this.#options.windowMs) return passedMs
    const isNext = passedMs < 2 * this.#options.windowMs
    this.#begin(isNext ? this.#now : new Map())
    if (isNext) this.#beganAt -= passedMs - this.#options.windowMs
    return this.#clock.now() - this.#beganAt
  }

  #begin(before: ReadonlyMap<string, number>): void {
    this.#before = before
    this.#now = new Map()
    this.#beganAt = this.#clock.now()
  }
}
