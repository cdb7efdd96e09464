/** Waiting until the other end has read what was written to it, or never will. */
import type { Socket } from 'node:net'
import type { Clock, Ms } from '../core/clock.ts'

export class Draining {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #onLate: (limitMs: Ms) => void
  /** One for all who wait. */
  #over: Promise<void> | null = null
  #go: (() => void) | null = null

  /** @param onLate Called when it reads nothing for so long; whoever waits goes on all the same. */
  constructor(socket: Socket, clock: Clock, onLate: (limitMs: Ms) => void) {
    this.#socket = socket
    this.#clock = clock
    this.#onLate = onLate
  }

  /** To be called when a write says that it is too much. @returns Settles when more may be written. */
  over(limitMs: Ms): Promise<void> {
    this.#over ??= this.#wait(limitMs)
    return this.#over
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#go?.()
  }

  #wait(limitMs: Ms): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const stopTimer = this.#clock.after(limitMs, () => this.#onLate(limitMs))
    const go = () => {
      stopTimer()
      this.#socket.off('drain', go)
      this.#over = null
      this.#go = null
      resolve()
    }
    this.#socket.once('drain', go)
    this.#go = go
    return promise
  }
}
