/** What the back end owes: one reply, or those to several lines that were said in one go. */
import type { Ms } from '../core/clock.ts'
import { isPositive, type Reply } from '../core/reply.ts'

export interface ReplyLimits {
  /** How long the first may take. */
  readonly firstMs: Ms
  /** How long each that follows may. */
  readonly limitMs: Ms
}

/** What the replies are handed on as. */
export type As<T> = (replies: readonly Reply[]) => T

export const all: As<readonly Reply[]> = (replies) => replies

export const first: As<Reply> = ([reply]) => {
  if (reply === undefined) throw new TypeError('no reply')
  return reply
}

export class OwedReplies<T> {
  /** Settles when all are there. */
  readonly heard: Promise<T>
  readonly #count: number
  readonly #as: As<T>
  readonly #heard: Reply[] = []
  readonly #resolve: (heard: T) => void
  readonly #reject: (error: Error) => void

  constructor(count: number, as: As<T>) {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.heard = promise
    this.#count = count
    this.#as = as
    this.#resolve = resolve
    this.#reject = reject
  }

  /** @returns Whether no more are owed. With 421 it says that it hangs up (RFC 5321 section 3.8). */
  take(reply: Reply): boolean {
    this.#heard.push(reply)
    if (this.#heard.length < this.#count && reply.code !== 421) return false
    this.#resolve(this.#as(this.#heard))
    return true
  }

  /** No more will come. Who refuses something may hang up before the rest, and it is refused all the same. */
  fail(error: Error): void {
    const last = this.#heard.at(-1)
    if (last !== undefined && !isPositive(last)) this.#resolve(this.#as(this.#heard))
    else this.#reject(error)
  }
}
