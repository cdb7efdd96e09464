/** Replies that the back end owes: one, or those to several lines that were said in one go. */
import type { Clock, Ms } from '../core/clock.ts'
import type { Reply } from '../core/reply.ts'

export class OwedReplies {
  /** Settles when all are there. */
  readonly all: Promise<readonly Reply[]>
  readonly #count: number
  readonly #heard: Reply[] = []
  readonly #resolve: (replies: readonly Reply[]) => void
  readonly #reject: (error: Error) => void
  readonly #stopTimer: () => void

  /** @param onLate Called when they are not there after `limitMs`. */
  constructor(count: number, clock: Clock, limitMs: Ms, onLate: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Reply[]>()
    this.all = promise
    this.#count = count
    this.#resolve = resolve
    this.#reject = reject
    this.#stopTimer = clock.after(limitMs, onLate)
  }

  /** @returns Whether no more are owed. With 421 it says that it hangs up (RFC 5321 section 3.8). */
  take(reply: Reply): boolean {
    this.#heard.push(reply)
    if (this.#heard.length < this.#count && reply.code !== 421) return false
    this.#stopTimer()
    this.#resolve(this.#heard)
    return true
  }

  /** They will not come. */
  fail(error: Error): void {
    this.#stopTimer()
    this.#reject(error)
  }
}
