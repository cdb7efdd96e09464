/**
 * Greylisting (RFC 6647): a client with a reason is told to come back later, and passes when it does.
 *
 * Keyed by network and sender domain, since large senders retry from another host of theirs. Whoever
 * has come back in time passes from then on, whatever it sends. It fails open: when there is no room
 * to remember a first try, the client passes.
 */
import type { Clock } from '../core/clock.ts'
import type { GreylistOptions } from './options.ts'

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

  /** First tries and networks that are remembered. */
  get size(): number {
    return this.#tries.size + this.#passed.size
  }

  /** True when the client may pass; a first try is remembered. */
  passes(network: string, senderDomain: string): boolean {
    const now = this.#clock.wall().getTime()
    this.#forget(now)
    if (this.#passed.has(network)) {
      this.#pass(network, now)
      return true
    }
    const key = `${network} ${senderDomain}`
    const first = this.#tries.get(key)
    if (first === undefined) return !this.#begin(key, now)
    if (now - first.firstAt < this.options.retry_after) return false
    this.#tries.delete(key)
    this.#pass(network, now)
    return true
  }

  /** @returns False when there is no room. */
  #begin(key: string, now: number): boolean {
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
    for (const [key, { firstAt }] of this.#tries) {
      if (now - firstAt <= this.options.window) break
      this.#tries.delete(key)
    }
    for (const [network, seenAt] of this.#passed) {
      if (now - seenAt <= this.options.keep) break
      this.#passed.delete(network)
    }
  }
}
