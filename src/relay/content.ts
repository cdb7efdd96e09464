/**
 * The content of one message on its way to the back end.
 *
 * Bytes go on as they came, dot-stuffing included, apart from the header lines we add and the
 * forged ones we take out. A message that must not be delivered is broken off before its final dot
 * (RFC 5321 section 4.1.1.4), so the back end never sees half of it as a whole.
 */
import { createHash, type Hash } from 'node:crypto'
import { isPositive, type Reply, reply } from '../core/reply.ts'
import type { Conversation } from './conversation.ts'
import { BackendLost, wentAway } from './failures.ts'
import { HeaderFilter } from './header-filter.ts'
import type { BackendOptions } from './options.ts'

export interface ContentLimits {
  /** Largest message in bytes. */
  readonly sizeMax: number
  /** More Received lines than this are a loop (RFC 5321 section 6.3). */
  readonly receivedMax: number
  /** Longest header in bytes. */
  readonly headerMax: number
}

export class Content {
  readonly #conversation: Conversation
  readonly #options: BackendOptions
  readonly #limits: ContentLimits
  readonly #filter = new HeaderFilter()
  /** Leaves with the first of the content. */
  #head: Buffer = nothing
  #byteCount = 0
  #verdict: Reply | null = null
  #hash: Hash | null = null
  /** Whether what was written last went on as copies only. */
  #isCopied = false

  constructor(conversation: Conversation, options: BackendOptions, limits: ContentLimits) {
    this.#conversation = conversation
    this.#options = options
    this.#limits = limits
  }

  /** How much the client has sent so far, in bytes on the wire. */
  get byteCount(): number {
    return this.#byteCount
  }

  /** True when it is settled that this message goes nowhere, whatever else the client sends of it. */
  get isRefused(): boolean {
    return this.#verdict !== null
  }

  /** From now on a hash is made of what the client sends. */
  hash(): void {
    this.#hash = createHash('sha256')
  }

  /** The hash of all that the client has sent; to be asked once, at the end. */
  get digest(): string {
    return this.#hash?.digest('hex') ?? ''
  }

  /** Puts header lines of ours above the message. */
  prepend(lines: string): void {
    this.#head = Buffer.from(lines)
  }

  /**
   * Passes on the next bytes; once the message is refused they go nowhere.
   *
   * @returns Nothing when more may follow at once, else a promise for when the back end has read.
   */
  write(bytes: Buffer): Promise<void> | undefined {
    this.#byteCount += bytes.length
    this.#hash?.update(bytes)
    if (this.#verdict !== null || this.#conversation.answeredEarly) return undefined
    const pieces = this.#filter.push(bytes)
    this.#isCopied = pieces.every(({ buffer }) => buffer !== bytes.buffer)
    if (this.#byteCount > this.#limits.sizeMax) {
      this.refuse(reply(552, '5.3.4', `Message exceeds ${this.#limits.sizeMax} bytes`))
    } else if (this.#filter.receivedCount > this.#limits.receivedMax) {
      this.refuse(reply(554, '5.4.6', 'Too many Received lines: this message is going in circles'))
    } else if (this.#filter.headerCount > this.#limits.headerMax) {
      this.refuse(reply(552, '5.3.4', `The header exceeds ${this.#limits.headerMax} bytes`))
    } else {
      return this.#pass(pieces)
    }
    return undefined
  }

  /** Until the next `write`: whether bytes of the last are still waited for; if not, they may be overwritten. */
  get holds(): boolean {
    return !this.#isCopied && !this.#conversation.isFlushed
  }

  /** Makes sure that this message is not delivered, and settles the final reply. */
  refuse(answer: Reply): void {
    if (this.#verdict !== null) return
    this.#verdict = answer
    this.#conversation.destroy()
  }

  /** Ends the message. @returns The back end's final reply, or ours where there can be none. */
  async finish(): Promise<Reply> {
    if (this.#verdict !== null) return this.#verdict
    const early = this.#conversation.answeredEarly
    if (!early) void this.#pass([this.#filter.end(), endOfData])
    try {
      const answer = await this.#conversation.nextReply(this.#options.final_timeout)
      const isTaken = isPositive(answer) && !early
      if (isTaken) this.#conversation.takenCount += 1
      // What is refused is counted against us: nobody else is to go on from there.
      else this.#conversation.mayServeOthers = false
      // 3yz is no answer, and what was accepted before its end was not this message.
      const isAnswer = isTaken || answer.code >= 400
      // It may still be reading content, or is about to hang up: nothing more can be said to it.
      if (early || !isAnswer || answer.code === 421) this.#conversation.destroy()
      return isAnswer ? answer : wentAway
    } catch (error) {
      if (!(error instanceof BackendLost)) throw error
      return wentAway
    }
  }

  #pass(pieces: readonly Buffer[]): Promise<void> | undefined {
    let full = this.#put(this.#head)
    this.#head = nothing
    for (const piece of pieces) full = this.#put(piece) ?? full
    return full
  }

  #put(piece: Buffer): Promise<void> | undefined {
    if (piece.length === 0) return undefined
    return this.#conversation.write(piece, this.#options.block_timeout)
  }
}

const nothing = Buffer.alloc(0)
const endOfData = Buffer.from('.\r\n')
