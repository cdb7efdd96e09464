/**
 * The leaving of one client, as those hear of it who work on its behalf.
 *
 * The same idea as an AbortController, which costs some 600 bytes as soon as somebody listens, for a
 * tenth of that: thousands of clients do nothing but wait. Work that wants a real AbortSignal gets
 * one, for as long as it lasts.
 */
import type { Eventual } from './eventual.ts'

type Listener = () => void

export class Leaving {
  #reason: Error | null = null
  /** One for most, as thousands have one each. */
  #listeners: Listener | Listener[] | null = null
  #controller: AbortController | null = null

  /** Why it is over; null while it is not. */
  get reason(): Error | null {
    return this.#reason
  }

  /** It is over; only the first reason counts. */
  leave(reason: Error): void {
    if (this.#reason !== null) return
    this.#reason = reason
    const listeners = this.#listeners
    this.#listeners = null
    this.#controller?.abort(reason)
    if (Array.isArray(listeners)) for (const listener of listeners) listener()
    else listeners?.()
  }

  /** Calls `listener` once, when it is over; never when that is so already. */
  listen(listener: Listener): void {
    const listeners = this.#listeners
    if (this.#reason !== null) return
    if (listeners === null) this.#listeners = listener
    else if (Array.isArray(listeners)) listeners.push(listener)
    else this.#listeners = [listeners, listener]
  }

  unlisten(listener: Listener): void {
    const listeners = this.#listeners
    if (listeners === listener) this.#listeners = null
    if (!Array.isArray(listeners)) return
    const others = listeners.filter((each) => each !== listener)
    this.#listeners = others.length > 1 ? others : (others[0] ?? null)
  }

  /** For work that goes on until the end. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#reason !== null) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** For work that is soon done, or done at once: its signal is let go with it. */
  during<T>(work: (lent: Lent) => Eventual<T>): Eventual<T> {
    if (this.#reason !== null) return Promise.reject(this.#reason)
    const lent = new Lent(this)
    let outcome: Eventual<T>
    try {
      outcome = work(lent)
    } catch (error) {
      lent.end()
      return Promise.reject(error)
    }
    if (outcome instanceof Promise) return outcome.finally(() => lent.end())
    lent.end()
    return outcome
  }
}

/** Has a signal for as long as some work lasts; makes it when the work asks for it. */
export class Lent {
  readonly #leaving: Leaving
  #controller: AbortController | null = null
  #stop: Listener = nothing

  constructor(leaving: Leaving) {
    this.#leaving = leaving
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#lend()
    return this.#controller.signal
  }

  end(): void {
    this.#leaving.unlisten(this.#stop)
  }

  #lend(): AbortController {
    const controller = new AbortController()
    const stop = () => controller.abort(this.#leaving.reason)
    this.#stop = stop
    if (this.#leaving.reason !== null) stop()
    else this.#leaving.listen(stop)
    return controller
  }
}

function nothing(): void {}
