/**
 * Greylisting (RFC 6647): a client with a reason is told to come back later, and passes when it does.
 *
 * Keyed by network and sender domain, since large senders retry from another host of theirs. Whoever
 * has come back in time passes from then on, whatever it sends. It fails open: when there is no room
 * to remember a first try, the client passes.
 */
import type { Clock } from '../core/clock.ts'
import type { GreylistOptions } from './options.ts'

/** More is never forgotten at once, since everybody else would wait for it. */
const forgottenAtOnceMax = 1_000

interface Try {
  readonly firstAt: number
}

export class Greylist {
  readonly #clock: Clock
  /** May be changed by a reload. */
  options: GreylistOptions
  /** First tries, the oldest first. */
  readonly #tries = new Map<string, Try>()
  /** Networks that have come back, and when they were seen last; the one seen last stands last. */
  readonly #passed = new Map<string, number>()

  constructor(clock: Clock, options: GreylistOptions) {
    this.#clock = clock
    this.options = options
  }

  /** First tries and networks that are remembered; also what is over, until its room is needed. */
  get size(): number {
    return this.#tries.size + this.#passed.size
  }

  /** True when the client may pass; a first try is remembered. */
  passes(network: string, senderDomain: string): boolean {
    const now = this.#clock.wall().getTime()
    if (this.#hasPassed(network, now)) {
      this.#pass(network, now)
      return true
    }
    const key = `${network} ${senderDomain}`
    const first = this.#tries.get(key)
    if (first === undefined || now - first.firstAt > this.options.window) {
      return !this.#begin(key, now)
    }
    if (now - first.firstAt < this.options.retry_after) return false
    this.#tries.delete(key)
    this.#pass(network, now)
    return true
  }

  #hasPassed(network: string, now: number): boolean {
    const seenAt = this.#passed.get(network)
    return seenAt !== undefined && now - seenAt <= this.options.keep
  }

  /** @returns False when there is no room. */
  #begin(key: string, now: number): boolean {
    // Else it would keep its place among older ones.
    this.#tries.delete(key)
    if (this.size >= this.options.entries_max) this.#forget(now)
    if (this.size >= this.options.entries_max) return false
    this.#tries.set(key, { firstAt: now })
    return true
  }

  #pass(network: string, now: number): void {
    this.#passed.delete(network)
    this.#passed.set(network, now)
  }

  /** Both maps are in the order of their times, so what is over stands first. */
  #forget(now: number): void {
    const aim = this.size - forgottenAtOnceMax
    for (const [key, { firstAt }] of this.#tries) {
      if (now - firstAt <= this.options.window || this.size <= aim) break
      this.#tries.delete(key)
    }
    for (const [network, seenAt] of this.#passed) {
      if (now - seenAt <= this.options.keep || this.size <= aim) break
      this.#passed.delete(network)
    }
  }
}
