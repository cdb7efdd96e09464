/**
 * The end of a message: its final reply, and whether the client has heard it.
 *
 * Nobody can tell for certain that a reply was heard, except that the client says something
 * afterwards. Until then a message that was taken is remembered, so that the same one, sent again,
 * is not delivered twice (RFC 1047; decision 15).
 */
import type { Clock } from '../core/clock.ts'
import type { Transaction } from '../core/ledger.ts'
import { isPositive, type Reply, reply } from '../core/reply.ts'
import { fingerprintOf, type Unheard } from '../memory/unheard.ts'
import type { Log } from '../observe/log.ts'
import type { Content } from '../relay/content.ts'

const hereAlready = reply(250, '2.0.0', 'We have this message already; you did not hear so before')

/** How long the back end's last word is waited for when the client has left. */
const lingerMs = 60_000

export interface LastWordParts {
  /** What is remembered; null when nothing is to be. */
  readonly unheard: Unheard | null
  readonly clock: Clock
  readonly log: Log
}

export class LastWord {
  readonly #parts: LastWordParts
  readonly #client: { readonly text: string; readonly network: string }
  /** Taken, and perhaps not heard of. */
  #unsure: string | null = null
  /** Settles with the final reply to the message that has ended; null while there is none. */
  #awaited: Promise<unknown> | null = null

  constructor(client: { readonly text: string; readonly network: string }, parts: LastWordParts) {
    this.#client = client
    this.#parts = parts
  }

  /** Content begins. */
  watch(content: Content): void {
    if (this.#parts.unheard !== null) content.hash()
  }

  /** Content has ended. @returns The final reply. */
  finish(content: Content, transaction: Transaction | null): Promise<Reply> {
    const { unheard } = this.#parts
    if (unheard === null || transaction === null) return content.finish()
    return this.#finishOnce(content, transaction, unheard)
  }

  async #finishOnce(content: Content, transaction: Transaction, unheard: Unheard): Promise<Reply> {
    const { sender } = transaction
    const print = fingerprintOf({
      network: this.#client.network,
      sender,
      recipients: acceptedIn(transaction),
      digest: content.digest,
    })
    if (await unheard.hasBeenTaken(print)) {
      this.#parts.log.event('message.again', { client: this.#client.text, sender })
      content.refuse(hereAlready)
    }
    const finishing = this.#conclude(content, print, unheard)
    unheard.await(print, finishing)
    this.#awaited = finishing
    const answer = await finishing
    this.#awaited = null
    return answer
  }

  async #conclude(content: Content, print: string, unheard: Unheard): Promise<Reply> {
    const answer = await content.finish()
    if (isPositive(answer)) {
      unheard.remember(print)
      this.#unsure = print
    }
    return answer
  }

  /** The client says something, so it has heard all that was said before. */
  spoke(): void {
    if (this.#unsure === null) return
    this.#parts.unheard?.forget(this.#unsure)
    this.#unsure = null
  }

  /**
   * The client has left. Closes the conversation with the back end: at once, unless the back end
   * owes the last word on a message that it may already have taken.
   */
  left(close: () => void): void {
    if (this.#awaited === null) return close()
    const stopTimer = this.#parts.clock.after(lingerMs, close)
    const done = () => {
      stopTimer()
      close()
    }
    this.#awaited.then(done, done)
  }
}

/** Those that the back end took. */
export function acceptedIn(transaction: Transaction | null): string[] {
  const recipients = transaction?.recipients ?? []
  return recipients.filter(({ reply: text }) => text.startsWith('2')).map(({ address }) => address)
}
