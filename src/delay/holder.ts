/**
 * The one place where a client is made to wait.
 *
 * Each wait costs us a socket and a little memory, so waits are rationed: there are `slotsMax`
 * places. When all are taken, the least suspicious of those who wait and the one who comes is
 * answered at once: out of room, mail goes faster, not missing.
 */
import type { Clock, Ms } from '../core/clock.ts'
import type { Leaving } from '../core/leaving.ts'

/** How a wait ended. A client that leaves is no end but a throw. */
export type HoldEnd = 'waited' | 'released'

export interface Hold {
  readonly ms: Ms
  /** How much speaks against the client; the number of its reasons. Whole, at least 1. */
  readonly suspicion: number
  /** Ends the wait when the client leaves or we shut down. */
  readonly leaving: Leaving
}

export class Holder {
  readonly #clock: Clock
  /** May be changed by a reload; those who wait keep their places. */
  slotsMax: number
  readonly #onFull: (heldCount: number) => void
  #heldCount = 0
  /** Those who wait, by suspicion. Sets keep the order of arrival. */
  readonly #held = new Map<number, Set<Place>>()

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
   * @throws why the client is gone, as soon as it is.
   */
  hold({ ms, suspicion, leaving }: Hold): Promise<HoldEnd> {
    if (ms <= 0) return Promise.resolve('waited')
    if (leaving.reason !== null) return Promise.reject(leaving.reason)
    if (this.#heldCount >= this.slotsMax && !this.#makeRoomFor(suspicion))
      return Promise.resolve('released')
    return new Promise((resolve, reject) => {
      const place = new Place(leaving, resolve, reject, () => this.#remove(suspicion, place))
      this.#add(suspicion, place)
      place.keepFor(ms, this.#clock)
    })
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
    const [place] = this.#held.get(least) ?? []
    place?.end('released')
    return place !== undefined
  }

  #add(suspicion: number, place: Place): void {
    const alike = this.#held.get(suspicion) ?? new Set()
    this.#held.set(suspicion, alike.add(place))
    this.#heldCount += 1
  }

  #remove(suspicion: number, place: Place): void {
    const alike = this.#held.get(suspicion)
    if (alike?.delete(place) !== true) return
    this.#heldCount -= 1
    if (alike.size === 0) this.#held.delete(suspicion)
  }
}

/** One who waits. There may be thousands, so each has few closures. */
class Place {
  readonly #leaving: Leaving
  readonly #resolve: (end: HoldEnd) => void
  readonly #reject: (reason: unknown) => void
  readonly #onFree: () => void
  #stopTimer: () => void = () => {}

  constructor(
    leaving: Leaving,
    resolve: (end: HoldEnd) => void,
    reject: (reason: unknown) => void,
    onFree: () => void,
  ) {
    this.#leaving = leaving
    this.#resolve = resolve
    this.#reject = reject
    this.#onFree = onFree
    leaving.listen(this.#left)
  }

  keepFor(ms: Ms, clock: Clock): void {
    this.#stopTimer = clock.after(ms, () => this.end('waited'))
  }

  end(how: HoldEnd): void {
    this.#free()
    this.#resolve(how)
  }

  readonly #left = (): void => {
    this.#free()
    this.#reject(this.#leaving.reason)
  }

  #free(): void {
    this.#stopTimer()
    this.#leaving.unlisten(this.#left)
    this.#onFree()
  }
}
