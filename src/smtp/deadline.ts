/**
 * A client must finish its next command in time, however it spreads the bytes.
 *
 * One timer does for many commands: it looks when it fires how long the present one has taken.
 */
import type { Clock, Instant, Ms } from '../core/clock.ts'

export class Deadline {
  readonly #clock: Clock
  readonly #limitMs: Ms
  readonly #onMissed: () => void
  /** When the client's turn began; null while it is ours. */
  #since: Instant | null = null
  #stopTimer: (() => void) | null = null

  constructor(clock: Clock, limitMs: Ms, onMissed: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#onMissed = onMissed
  }

  /** It is the client's turn, if it was not already. */
  start(): void {
    this.#since ??= this.#clock.now()
    if (this.#stopTimer === null) this.#look()
  }

  /** The command is there. */
  stop(): void {
    this.#since = null
  }

  /** Nothing more is expected of the client. */
  close(): void {
    this.#since = null
    this.#stopTimer?.()
    this.#stopTimer = null
  }

  #look(): void {
    this.#stopTimer = null
    if (this.#since === null) return
    const leftMs = this.#since + this.#limitMs - this.#clock.now()
    if (leftMs <= 0) this.#onMissed()
    else this.#stopTimer = this.#clock.after(leftMs, () => this.#look())
  }
}
