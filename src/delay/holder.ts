/**
 * The one place where a client is made to wait.
 *
 * Each wait costs us a socket and a little memory, so waits are rationed: there are `slotsMax`
 * places. When all are taken, the least suspicious of those who wait and the one who comes is
 * answered at once: out of room, mail goes faster, not missing.
 */
import type { Clock, Ms } from '../core/clock.ts'

/** How a wait ended. A client that leaves is no end but a throw. */
export type HoldEnd = 'waited' | 'released'

export interface Hold {
  readonly ms: Ms
  /** How much speaks against the client; the number of its reasons. Whole, at least 1. */
  readonly suspicion: number
  /** Ends the wait when the client leaves or we shut down. */
  readonly signal: AbortSignal
}

export class Holder {
  readonly #clock: Clock
  /** May be changed by a reload; those who wait keep their places. */
  slotsMax: number
  readonly #onFull: (heldCount: number) => void
  #heldCount = 0
  /** Those who wait, by suspicion: how to let each go early. Sets keep the order of arrival. */
  readonly #held = new Map<number, Set<() => void>>()

  constructor(clock: Clock, slotsMax: number, onFull: (heldCount: number) => void = () => {}) {
    this.#clock = clock
    this.slotsMax = slotsMax
    this.#onFull = onFull
  }

  /** How many clients are waiting right now, from 0 to `slotsMax`. */
  get heldCount(): number {
    return this.#heldCount
  }

  /**
   * Keeps a client waiting for its next reply.
   *
   * @returns 'waited' at the end of `ms` milliseconds, 'released' when its place was needed before.
   * @throws `signal.reason`, as soon as `signal` aborts.
   */
  async hold({ ms, suspicion, signal }: Hold): Promise<HoldEnd> {
    if (ms <= 0) return 'waited'
    signal.throwIfAborted()
    if (this.#heldCount >= this.slotsMax && !this.#makeRoomFor(suspicion)) return 'released'
    return await this.#wait(ms, suspicion, signal)
  }

  #wait(ms: Ms, suspicion: number, signal: AbortSignal): Promise<HoldEnd> {
    const { promise, resolve, reject } = Promise.withResolvers<HoldEnd>()
    const free = () => {
      stopTimer()
      signal.removeEventListener('abort', leave)
      this.#remove(suspicion, release)
    }
    const release = () => {
      free()
      resolve('released')
    }
    const leave = () => {
      free()
      reject(signal.reason)
    }
    const stopTimer = this.#clock.after(ms, () => {
      free()
      resolve('waited')
    })
    signal.addEventListener('abort', leave, { once: true })
    this.#add(suspicion, release)
    return promise
  }

  /** Lets so many of those who wait go early, the least suspicious first. */
  ease(count: number): void {
    for (let eased = 0; eased < count; eased += 1) {
      if (!this.#releaseLessThan(Number.POSITIVE_INFINITY)) return
    }
  }

  #makeRoomFor(suspicion: number): boolean {
    this.#onFull(this.#heldCount)
    return this.#releaseLessThan(suspicion)
  }

  /** Lets the longest-waiting of the least suspicious go, if there is one less suspicious than this. */
  #releaseLessThan(suspicion: number): boolean {
    const least = Math.min(...this.#held.keys())
    if (least >= suspicion) return false
    const [release] = this.#held.get(least) ?? []
    release?.()
    return release !== undefined
  }

  #add(suspicion: number, release: () => void): void {
    const alike = this.#held.get(suspicion) ?? new Set()
    this.#held.set(suspicion, alike.add(release))
    this.#heldCount += 1
  }

  #remove(suspicion: number, release: () => void): void {
    const alike = this.#held.get(suspicion)
    if (alike?.delete(release) !== true) return
    this.#heldCount -= 1
    if (alike.size === 0) this.#held.delete(suspicion)
  }
}
