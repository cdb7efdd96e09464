/**
 * The clients that are in, in the order in which they came, and the end of those that stay too long.
 *
 * One timer, for the one who came first, serves them all; who only waits costs a place in a map.
 */
import type { Clock, Instant, Ms } from '../core/clock.ts'
import { type Reply, reply } from '../core/reply.ts'
import type { Session } from '../session/session.ts'

const longEnough = reply(
  421,
  '4.4.2',
  'This connection has lasted long enough; please open another',
)

export class Residents {
  readonly #clock: Clock
  readonly #ageMax: () => Ms
  /** When each came; the one who came first stands first. */
  readonly #cameAt = new Map<Session, Instant>()
  #stopTimer: () => void = () => {}

  /** @param ageMax How long a connection may last, by now. */
  constructor(clock: Clock, ageMax: () => Ms) {
    this.#clock = clock
    this.#ageMax = ageMax
  }

  add(session: Session): void {
    this.#cameAt.set(session, this.#clock.now())
    if (this.#cameAt.size === 1) this.#watch()
  }

  /** The client is gone. */
  remove(session: Session): void {
    this.#cameAt.delete(session)
    if (this.#cameAt.size === 0) this.#stopTimer()
  }

  /** Everybody is to go; a message under way is finished first. */
  end(answer: Reply): void {
    for (const session of this.#cameAt.keys()) session.end(answer)
  }

  #watch(): void {
    this.#stopTimer()
    const [oldest] = this.#cameAt.values()
    if (oldest === undefined) return
    const restMs = oldest + this.#ageMax() - this.#clock.now()
    this.#stopTimer = this.#clock.after(Math.max(0, restMs), () => this.#endOld())
  }

  #endOld(): void {
    const oldAt = this.#clock.now() - this.#ageMax()
    for (const [session, cameAt] of this.#cameAt) {
      if (cameAt > oldAt) break
      // It goes by itself from here, if only after its message, and others stand behind it.
      this.#cameAt.delete(session)
      session.end(longEnough)
    }
    this.#watch()
  }
}
