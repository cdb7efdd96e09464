/**
 * Whether a message comes fast enough.
 *
 * The pace is taken over whole windows, so a client with a bad line may falter in between; and a
 * window in which we held the client back ourselves, since the back end read no faster, says nothing.
 */
import type { Clock, Ms } from '../core/clock.ts'

/** RFC 5321 section 4.5.3.2.5: how long a client lets us take over a piece of data; as long may it. */
const windowMs: Ms = 3 * 60_000

export class Pace {
  readonly #clock: Clock
  readonly #bytesMin: number
  readonly #onTooSlow: () => void
  #byteCount = 0
  #heldCount = 0
  /** True when we have held it back in this window. */
  #forgiven = false
  #stopTimer: () => void

  /** @param rateMin In bytes a second. */
  constructor(clock: Clock, rateMin: number, onTooSlow: () => void) {
    this.#clock = clock
    this.#bytesMin = (rateMin * windowMs) / 1_000
    this.#onTooSlow = onTooSlow
    this.#stopTimer = this.#watch()
  }

  came(count: number): void {
    this.#byteCount += count
  }

  /** We hold the client back until this settles. */
  held(until: Promise<void>): void {
    this.#heldCount += 1
    this.#forgiven = true
    void until.then(() => {
      this.#heldCount -= 1
    })
  }

  stop(): void {
    this.#stopTimer()
  }

  #watch(): () => void {
    return this.#clock.after(windowMs, () => {
      const isSlow = this.#byteCount < this.#bytesMin && !this.#forgiven
      this.#byteCount = 0
      this.#forgiven = this.#heldCount > 0
      if (isSlow) this.#onTooSlow()
      else this.#stopTimer = this.#watch()
    })
  }
}
