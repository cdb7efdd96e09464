/**
 * Conversations that have done their work and may serve another client: a few, for a moment.
 *
 * Only such in which the back end was told nothing about the client, by XCLIENT, PROXY or AUTH; any
 * other belongs to its client for good. It saves the back end and us a connection, a greeting and
 * perhaps a handshake for each client. Whoever takes one says RSET first, with what follows, and goes on to another when
 * that is not answered well: one that has died meanwhile costs nobody a 451.
 */
import type { Clock, Ms } from '../core/clock.ts'
import type { Conversation } from './conversation.ts'

/** How long one is kept. Many a back end counts its clients, and has better ones. */
const keptMs: Ms = 2_000
/** How long one may take to show that it is still there. */
export const spareAnswerMs: Ms = 5_000
/** How many messages go through one before it ends. Of less, the back end says so itself (Seat.givesUpOver). */
const messagesMax = 500

interface Kept {
  readonly conversation: Conversation
  readonly stopTimer: () => void
}

export class Spare {
  readonly #clock: Clock
  readonly #max: number
  readonly #kept: Kept[] = []
  #closed = false

  /** @param max How many are kept at once. */
  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = max
  }

  /** Keeps a conversation that has nothing under way, or ends it. */
  give(conversation: Conversation): void {
    const { takenCount, busy, lost } = conversation
    // Until it has taken something, a back end may be counting errors.
    const isWorn = takenCount === 0 || takenCount >= messagesMax || busy || lost
    const isFull = this.#closed || this.#kept.length >= this.#max
    if (isWorn || isFull) return conversation.quit()
    const kept = { conversation, stopTimer: this.#clock.after(keptMs, () => this.#end(kept)) }
    this.#kept.push(kept)
  }

  /**
   * One that has said nothing since; null when there is none.
   *
   * @param secure Whether the client is under TLS.
   */
  take(secure: boolean): Conversation | null {
    for (;;) {
      const kept = this.#kept.findLast(({ conversation }) => conversation.isPrivate || !secure)
      if (kept === undefined) return null
      this.#forget(kept)
      if (!kept.conversation.lost) return kept.conversation
      kept.conversation.quit()
    }
  }

  /** Ends all there are, and those that are still to come. */
  close(): void {
    this.#closed = true
    for (const kept of [...this.#kept]) this.#end(kept)
  }

  #end(kept: Kept): void {
    this.#forget(kept)
    kept.conversation.quit()
  }

  #forget(kept: Kept): void {
    kept.stopTimer()
    this.#kept.splice(this.#kept.indexOf(kept), 1)
  }
}
