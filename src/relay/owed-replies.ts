/** Replies that the back end owes: one, or those to several lines that were said in one go. */
import type { Clock, Ms } from '../core/clock.ts'
import { isPositive, type Reply } from '../core/reply.ts'

export interface ReplyLimits {
  /** How long the first may take. */
  readonly firstMs: Ms
  /** How long each that follows may. */
  readonly limitMs: Ms
}

export class OwedReplies {
  /** Settles when all are there. */
  readonly all: Promise<readonly Reply[]>
  readonly #count: number
  readonly #heard: Reply[] = []
  readonly #resolve: (replies: readonly Reply[]) => void
  readonly #reject: (error: Error) => void
  readonly #clock: Clock
  readonly #onLate: (limitMs: Ms) => void
  readonly #limitMs: Ms
  #stopTimer: () => void

  /** @param onLate Called when one is not there in time, with how long that was. */
  constructor(
    count: number,
    clock: Clock,
    { firstMs, limitMs }: ReplyLimits,
    onLate: (limitMs: Ms) => void,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Reply[]>()
    this.all = promise
    this.#count = count
    this.#resolve = resolve
    this.#reject = reject
    this.#limitMs = limitMs
    this.#clock = clock
    this.#onLate = onLate
    this.#stopTimer = this.#watch(firstMs)
  }

  #watch(ms: Ms): () => void {
    return this.#clock.after(ms, () => this.#onLate(ms))
  }

  /** @returns Whether no more are owed. With 421 it says that it hangs up (RFC 5321 section 3.8). */
  take(reply: Reply): boolean {
    this.#heard.push(reply)
    this.#stopTimer()
    if (this.#heard.length < this.#count && reply.code !== 421) {
      this.#stopTimer = this.#watch(this.#limitMs)
      return false
    }
    this.#resolve(this.#heard)
    return true
  }

  /** No more will come. Who refuses something may hang up before the rest, and it is refused all the same. */
  fail(error: Error): void {
    this.#stopTimer()
    const last = this.#heard.at(-1)
    if (last !== undefined && !isPositive(last)) this.#resolve(this.#heard)
    else this.#reject(error)
  }
}
