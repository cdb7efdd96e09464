/**
 * What one client says, said again to the back end, one command at a time.
 *
 * Knows no reasons and no delays. The conversation is opened for the first recipient, not before,
 * and given up whenever the client is made to wait (`park`), so that a waiting client never
 * occupies a place at the back end; afterwards it is told again what it had agreed to.
 */
import { type Recipient, type Sender, splitAddress } from '../core/envelope.ts'
import { isHalf, isPositive, type Reply, reply } from '../core/reply.ts'
import type { Backend } from './backend.ts'
import { mailCommand, needsMore, rcptCommand } from './commands.ts'
import { Content, type ContentLimits } from './content.ts'
import { BackendLost, type Conversation } from './conversation.ts'
import { replyTo, wentAway } from './failures.ts'
import type { Introduction } from './introduce.ts'
import { takesDomain } from './open-relay.ts'

const changedMind = reply(451, '4.3.0', 'The mail server behind us has changed its mind; try again')
const changedExtensions = reply(451, '4.3.0', 'Extensions have changed since EHLO; try again')
const notOurs = reply(550, '5.7.1', 'We do not relay to that domain')
const oneByOne = reply(
  452,
  '4.5.3',
  'One recipient for each message, please; send the others again',
)
const noRecipients = reply(554, '5.5.1', 'No valid recipients')

export class Delivery {
  readonly #backend: Backend
  readonly #client: () => Introduction
  readonly #signal: AbortSignal
  #conversation: Conversation | null = null
  #sender: Sender | null = null
  /** The answer to MAIL on the present conversation; null while it has not been said there. */
  #mailReply: Reply | null = null
  #accepted: Recipient[] = []
  /** True when the back end still holds a message that the client has given up. */
  #stale = false
  /** True when the present conversation is one that the client has logged in to. */
  #loggedIn = false
  /** Set when the back end no longer agrees to what the client has been told. */
  #broken: Reply | null = null

  constructor(backend: Backend, client: () => Introduction, signal: AbortSignal) {
    this.#backend = backend
    this.#client = client
    this.#signal = signal
  }

  get acceptedCount(): number {
    return this.#accepted.length
  }

  /** A new message. Nothing is said yet. */
  begin(sender: Sender): void {
    this.reset()
    this.#sender = sender
  }

  /** True when another recipient can only be told to come again (decision 14). */
  get isFull(): boolean {
    return this.#backend.options.protocol === 'lmtp' && this.#accepted.length > 0
  }

  /** Passes on one recipient. @returns The back end's answer, or why there can be none. */
  async recipient(recipient: Recipient): Promise<Reply> {
    if (this.#broken !== null) return this.#broken
    if (!this.#takes(recipient)) return notOurs
    if (this.isFull) return oneByOne
    if (this.#mailReply !== null && !isPositive(this.#mailReply)) return this.#mailReply
    try {
      const conversation = await this.#ready()
      if (this.#mailReply !== null && !isPositive(this.#mailReply)) return this.#mailReply
      const answer = await this.#say(
        conversation,
        rcptCommand(recipient, conversation.capabilities),
      )
      if (isPositive(answer)) this.#accepted.push(recipient)
      return answer
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** Passes on DATA. @returns Where the content goes, or the reply when it may not be sent. */
  async data(limits: ContentLimits): Promise<Content | Reply> {
    if (this.#broken !== null) return this.#broken
    if (this.#accepted.length === 0) return noRecipients
    try {
      const conversation = await this.#ready()
      if (this.#broken !== null) return this.#broken
      const answer = await conversation.say('DATA', this.#backend.options.data_timeout)
      // Unless it wants the content, it still holds the message.
      this.#stale = answer.code !== 354
      this.#forget()
      if (!this.#stale) return new Content(conversation, this.#backend.options, limits)
      // 2yz would sound like a message taken.
      return this.#judged(conversation, answer, answer.code < 400)
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** Gives the place at the back end free while the client waits. */
  park(): void {
    // Who has logged in never waits, and could not log in again.
    if (this.#loggedIn) return
    this.#conversation?.quit()
    this.#conversation = null
    this.#mailReply = null
    this.#stale = false
  }

  /** Forgets the message that was begun; the back end hears of it with the next one. */
  reset(): void {
    if (this.#mailReply !== null) this.#stale = true
    this.#forget()
  }

  /**
   * Asks the back end whether a user may log in, on the conversation that will carry the mail.
   *
   * @returns The back end's answer; ours where there can be none.
   */
  async authenticate(user: string, password: string): Promise<Reply> {
    try {
      const conversation = await this.#open()
      const secret = Buffer.from(`\0${user}\0${password}`).toString('base64')
      const answer = await this.#say(conversation, `AUTH PLAIN ${secret}`)
      this.#loggedIn = isPositive(answer)
      // Who may wait for the next attempt occupies no place.
      if (!this.#loggedIn) this.park()
      return answer
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** The client is gone. In the middle of a message the back end sees a broken connection, never an end. */
  close(midMessage: boolean): void {
    const conversation = this.#conversation
    this.#conversation = null
    if (midMessage) conversation?.destroy()
    else if (conversation?.mayServeOthers && this.#isIdle) this.#backend.spare.give(conversation)
    else conversation?.quit()
  }

  #takes({ address }: Recipient): boolean {
    const { recipient_domains } = this.#backend.options
    return takesDomain(recipient_domains, splitAddress(address).domain)
  }

  /** True when the back end holds nothing of this client. */
  get #isIdle(): boolean {
    return this.#mailReply === null && !this.#stale && !this.#loggedIn
  }

  /** A conversation in which MAIL and all accepted recipients have been said. */
  async #ready(): Promise<Conversation> {
    const conversation = await this.#open()
    if (this.#stale) {
      this.#stale = false
      await this.#say(conversation, 'RSET')
    }
    if (this.#mailReply === null) await this.#sayAgain(conversation)
    return conversation
  }

  /** The conversation, or a new one where that takes nothing from the client. */
  async #open(): Promise<Conversation> {
    if (this.#conversation?.lost) {
      this.#conversation.destroy()
      this.#conversation = null
    }
    if (this.#conversation !== null) return this.#conversation
    // The client has heard 250 for recipients that are gone with it.
    const gone = this.#accepted.length > 0 && this.#mailReply !== null
    if (gone) throw new BackendLost('back end left')
    this.#mailReply = null
    this.#stale = false
    // We keep no password, but the back end may take our word for who has logged in.
    const loggedIn = this.#loggedIn
    const client = this.#client()
    const spare = loggedIn ? null : await this.#backend.spare.take(client.secure)
    const conversation = spare ?? (await this.#backend.converse(client, this.#signal, loggedIn))
    if (this.#signal.aborted) conversation.quit()
    this.#signal.throwIfAborted()
    this.#conversation = conversation
    return conversation
  }

  async #sayAgain(conversation: Conversation): Promise<void> {
    const sender = this.#sender
    if (sender === null) return
    const { capabilities } = conversation
    if (needsMore(sender, capabilities)) {
      this.#broken = changedExtensions
      this.#mailReply = changedExtensions
      return
    }
    const forwarding = this.#backend.forwarding(conversation, this.#client())
    // What comes of it is for the log of the back end; refused or not, the mail goes on.
    if (forwarding !== null) await this.#say(conversation, forwarding)
    this.#mailReply = await this.#say(conversation, mailCommand(sender, capabilities))
    for (const recipient of this.#accepted) {
      const answer = isPositive(this.#mailReply)
        ? await this.#say(conversation, rcptCommand(recipient, capabilities))
        : this.#mailReply
      if (!isPositive(answer)) {
        this.#broken = changedMind
        this.#mailReply = changedMind
        return
      }
    }
  }

  async #say(conversation: Conversation, line: string): Promise<Reply> {
    return this.#judged(
      conversation,
      await conversation.say(line, this.#backend.options.command_timeout),
    )
  }

  /** 421 announces that it hangs up (RFC 5321 section 3.8); 3yz has no meaning here. */
  #judged(conversation: Conversation, answer: Reply, meaningless = isHalf(answer)): Reply {
    if (answer.code === 421 || meaningless) conversation.destroy()
    return meaningless ? wentAway : answer
  }

  #failed(error: unknown): Reply {
    this.#signal.throwIfAborted()
    const known = replyTo(error)
    if (known !== null) return known
    if (!(error instanceof BackendLost)) throw error
    this.#conversation = null
    // Recipients it had agreed to are gone with it, though the client has heard 250 for them.
    if (this.#accepted.length > 0) this.#broken = wentAway
    this.#mailReply = null
    return wentAway
  }

  #forget(): void {
    this.#sender = null
    this.#mailReply = null
    this.#accepted = []
    this.#broken = null
  }
}
