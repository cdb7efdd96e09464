/**
 * The time, and waiting for it. Nothing else in Treacle asks what time it is or sets a timer, so a
 * test that brings its own clock can make an hour pass at once.
 *
 * Two questions are kept apart: `now` runs evenly and never jumps (delays are measured with it),
 * `wall` is the time of day that logs and Received lines print and may be set back and forth.
 */

/** A length of time in milliseconds. */
export type Ms = number

/** A point in time on the even clock, in milliseconds since some fixed but unknown moment. */
export type Instant = number

export interface Clock {
  now(): Instant
  /** The time of day. */
  wall(): Date
  /**
   * Waits `ms` milliseconds; 24 days at the most, as timers do.
   *
   * @throws `signal.reason` as soon as `signal` aborts, at once when it already has.
   */
  sleep(ms: Ms, signal: AbortSignal): Promise<void>
  /** Calls `wake` once after `ms` milliseconds, unless the returned function is called before. */
  after(ms: Ms, wake: () => void): () => void
}

/** The time of day `ms` before. */
export function before(wall: Date, ms: Ms): Date {
  return new Date(wall.getTime() - ms)
}

/** Node takes a longer timer for none at all and fires it at once. */
const timerMax: Ms = 2 ** 31 - 1

export const systemClock: Clock = {
  // Whole milliseconds: a fraction would be a number on the heap wherever one is kept.
  now: () => Math.floor(performance.now()),
  wall: () => new Date(),

  sleep(ms, signal) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal.aborted) {
      reject(signal.reason)
      return promise
    }
    const leave = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', leave)
        resolve()
      },
      Math.min(ms, timerMax),
    )
    signal.addEventListener('abort', leave, { once: true })
    return promise
  },

  after(ms, wake) {
    const timer = setTimeout(wake, Math.min(ms, timerMax))
    return () => clearTimeout(timer)
  },
}
