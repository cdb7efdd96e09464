/** What the back end owes: one reply, or those to several lines that were said in one go. */
import type { Ms } from '../core/clock.ts'
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

  constructor(count: number) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Reply[]>()
    this.all = promise
    this.#count = count
    this.#resolve = resolve
    this.#reject = reject
  }

  /** @returns Whether no more are owed. With 421 it says that it hangs up (RFC 5321 section 3.8). */
  take(reply: Reply): boolean {
    this.#heard.push(reply)
    if (this.#heard.length < this.#count && reply.code !== 421) return false
    this.#resolve(this.#heard)
    return true
  }

  /** No more will come. Who refuses something may hang up before the rest, and it is refused all the same. */
  fail(error: Error): void {
    const last = this.#heard.at(-1)
    if (last !== undefined && !isPositive(last)) this.#resolve(this.#heard)
    else this.#reject(error)
  }
}
