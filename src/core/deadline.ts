/**
 * The other side must do its part in time, however it spreads the bytes.
 *
 * One timer does for many turns: it looks when it fires how much is left of the present one.
 */
import type { Clock, Instant, Ms } from './clock.ts'

export class Deadline {
  readonly #clock: Clock
  readonly #usualMs: Ms
  readonly #onMissed: (limitMs: Ms) => void
  /** When the turn of the other side is over; null while it is ours. */
  #due: Instant | null = null
  /** How long that turn was to be. */
  #limitMs: Ms = 0
  /** When the timer fires. */
  #looksAt: Instant = 0
  #stopTimer: (() => void) | null = null

  /**
   * @param usualMs The limit where none is named.
   * @param onMissed Called with the limit that was missed.
   */
  constructor(clock: Clock, usualMs: Ms, onMissed: (limitMs: Ms) => void) {
    this.#clock = clock
    this.#usualMs = usualMs
    this.#onMissed = onMissed
  }

  /** It is the turn of the other side, if it was not already. */
  start(limitMs: Ms = this.#usualMs): void {
    if (this.#due !== null) return
    this.#limitMs = limitMs
    this.#due = this.#clock.now() + limitMs
    if (this.#stopTimer !== null && this.#looksAt <= this.#due) return
    this.#stopTimer?.()
    this.#lookIn(limitMs)
  }

  /** It has done its part. */
  stop(): void {
    this.#due = null
  }

  /** Nothing more is expected. */
  close(): void {
    this.#due = null
    this.#stopTimer?.()
    this.#stopTimer = null
  }

  #lookIn(ms: Ms): void {
    this.#looksAt = this.#clock.now() + ms
    this.#stopTimer = this.#clock.after(ms, () => this.#look())
  }

  #look(): void {
    this.#stopTimer = null
    if (this.#due === null) return
    const leftMs = this.#due - this.#clock.now()
    if (leftMs <= 0) this.#onMissed(this.#limitMs)
    else this.#lookIn(leftMs)
  }
}
