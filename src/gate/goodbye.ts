/** The last word to clients that are not let in, or no longer. */
import type { Socket } from 'node:net'
import type { Clock, Ms } from '../core/clock.ts'
import { type Reply, reply, wireForm } from '../core/reply.ts'

export const earlyTalk = reply(554, '5.5.1', 'Protocol error: you talked before the greeting')
export const shuttingDown = reply(421, '4.3.2', 'Shutting down; try again later')

/** How long a client that was sent away may take to read why. */
const lingerMs: Ms = 5_000
/** How many may; with more, the last word is sent and nobody waits for it to be read. */
const lingeringMax = 1_000

export class Goodbye {
  readonly #clock: Clock
  #lingering = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Says why and closes. What the client still sends is read, or a reset would overtake the reply. */
  say(socket: Socket, answer: Reply): void {
    if (socket.destroyed) return
    socket.end(wireForm(answer))
    if (this.#lingering >= lingeringMax) return socket.destroySoon()
    this.#lingering += 1
    socket.resume()
    const stopTimer = this.#clock.after(lingerMs, () => socket.destroy())
    socket.once('close', () => {
      stopTimer()
      this.#lingering -= 1
    })
  }
}
