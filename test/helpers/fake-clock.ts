/** A clock that moves only when a test says so. Held to the Clock's contract in clock.test.ts. */
import type { Clock, Instant, Ms } from '../../src/core/clock.ts'

interface Sleeper {
  readonly dueAt: Instant
  readonly wake: () => void
}

const startsAt: Instant = Date.UTC(2030, 0, 1)

export class FakeClock implements Clock {
  #now: Instant = startsAt
  #wallAheadMs: Ms = 0
  readonly #sleepers = new Set<Sleeper>()

  /** How many sleeps and timers are pending; a test that ends with some has left a client hanging. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /** How long until the next of them is due; null when there are none. */
  get nextDueMs(): Ms | null {
    const due = [...this.#sleepers].map(({ dueAt }) => dueAt - this.#now)
    return due.length === 0 ? null : Math.min(...due)
  }

  now(): Instant {
    return this.#now
  }

  /** Starts at 2030-01-01 00:00 UTC and moves with `now`. */
  wall(): Date {
    return new Date(this.#now + this.#wallAheadMs)
  }

  /** Sets the time of day, as an operator or NTP does; `now` does not notice. */
  setWall(to: Date): void {
    this.#wallAheadMs = to.getTime() - this.#now
  }

  /** Time passes in which nothing else can happen, as in a long computation. */
  lose(ms: Ms): void {
    this.#now += ms
  }

  sleep(ms: Ms, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal.aborted) {
      reject(signal.reason)
      return promise
    }
    const leave = () => {
      stop()
      reject(signal.reason)
    }
    const stop = this.after(ms, () => {
      signal.removeEventListener('abort', leave)
      resolve()
    })
    signal.addEventListener('abort', leave, { once: true })
    return promise
  }

  after(ms: Ms, wake: () => void): () => void {
    const sleeper = { dueAt: this.#now + ms, wake }
    this.#sleepers.add(sleeper)
    return () => this.#sleepers.delete(sleeper)
  }

  /** Moves time forward by `ms`, waking sleepers in order and letting each run on in between. */
  async advance(ms: Ms): Promise<void> {
    const endsAt = this.#now + ms
    for (;;) {
      await settled()
      const next = [...this.#sleepers].sort((a, b) => a.dueAt - b.dueAt)[0]
      if (next === undefined || next.dueAt > endsAt) break
      this.#now = Math.max(this.#now, next.dueAt)
      this.#sleepers.delete(next)
      next.wake()
    }
    this.#now = Math.max(this.#now, endsAt)
  }
}

/** Lets every promise that can settle do so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
