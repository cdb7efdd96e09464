/**
 * What one client says, said again to the back end: each command has its reply before the next is heard.
 *
 * Knows no reasons and no delays. The conversation is opened for the first recipient, and given up while the client is
 * made to wait (`park`): it occupies no place then; the next one is told what the last had agreed to.
 */
import type { Recipient, Sender } from '../core/envelope.ts'
import type { Eventual } from '../core/eventual.ts'
import type { Leaving } from '../core/leaving.ts'
import { isHalf, isPositive, type Reply } from '../core/reply.ts'
import type { Backend } from './backend.ts'
import { needsMore } from './commands.ts'
import { Content, type ContentLimits } from './content.ts'
import type { Conversation } from './conversation.ts'
import * as failures from './failures.ts'
import type { Introduction } from './introduce.ts'
import { type Due, goesOnAfter, linesDue } from './lines-due.ts'
import { strayIn, takesDomain } from './open-relay.ts'
import { Seat } from './seat.ts'
import { spareAnswerMs } from './spare.ts'

export class Delivery {
  readonly #backend: Backend
  readonly #client: () => Introduction
  readonly #leaving: Leaving
  readonly #seat: Seat
  #sender: Sender | null = null
  /** The answer to MAIL on the present conversation; null while it has not been said there. */
  #mailReply: Reply | null = null
  #accepted: Recipient[] = []
  /** Set when the back end no longer agrees to what the client has been told. */
  #broken: Reply | null = null

  /** @param client Who it is, by now. */
  constructor(backend: Backend, client: () => Introduction, leaving: Leaving) {
    this.#backend = backend
    this.#client = client
    this.#leaving = leaving
    this.#seat = new Seat(backend, client, leaving)
  }

  /** A new message. Nothing is said yet. */
  begin(sender: Sender): void {
    this.reset()
    this.#sender = sender
  }

  get acceptedCount(): number {
    return this.#accepted.length
  }

  /** True when another recipient can only be told to come again (decision 14). */
  get isFull(): boolean {
    return this.#backend.options.protocol === 'lmtp' && this.acceptedCount > 0
  }

  /** Passes on one recipient. @returns The back end's answer, or why there can be none. */
  recipient(recipient: Recipient): Eventual<Reply> {
    if (this.#broken !== null) return this.#broken
    // Who has logged in may send to the whole world, as far as the back end lets them.
    const listed = this.#seat.isLoggedIn ? [] : this.#backend.options.recipient_domains
    if (!takesDomain(listed, recipient.address)) return failures.notOurs
    if (this.isFull) return failures.oneByOne
    if (this.#mailReply !== null && !isPositive(this.#mailReply)) return this.#mailReply
    return this.#catchUp(recipient).then(
      (answer) => {
        if (answer === null) return this.#broken ?? this.#mailReply ?? failures.wentAway
        if (isPositive(answer)) this.#accepted.push(recipient)
        return answer
      },
      (error: unknown) => this.#failed(error),
    )
  }

  /** Passes on DATA. @returns Where the content goes, or the reply when it may not be sent. */
  async data(limits: ContentLimits): Promise<Content | Reply> {
    if (this.#broken !== null) return this.#broken
    if (this.#accepted.length === 0) return failures.noRecipients
    try {
      if (this.#mailReply === null) await this.#catchUp(null)
      const { taken: conversation } = this.#seat
      // It may have hung up before it had heard of the message.
      if (!(conversation && this.#mailReply)) throw new failures.BackendLost('back end left')
      if (this.#broken !== null) return this.#broken
      const answer = await conversation.say('DATA', this.#backend.options.data_timeout)
      if (this.#seat.givesUpOver(answer)) {
        this.#mailReply = null
        return await this.data(limits)
      }
      // Unless it wants the content, it still holds the message.
      this.#seat.needsReset = answer.code !== 354
      this.#forget()
      if (answer.code === 354) return new Content(conversation, this.#backend.options, limits)
      // 2yz would sound like a message taken.
      return this.#judged(conversation, answer, answer.code < 400)
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** Gives the place at the back end free while the client waits. */
  park(): void {
    // Who has logged in never waits, and could not log in again.
    if (this.#seat.isLoggedIn) return
    this.#seat.giveUp()
    this.#mailReply = null
  }

  /** Forgets the message that was begun; the back end hears of it with the next one. */
  reset(): void {
    if (this.#mailReply !== null) this.#seat.needsReset = true
    this.#forget()
  }

  /**
   * Asks the back end whether a user may log in, on the conversation that will carry the mail.
   *
   * @returns The back end's answer; ours where there can be none.
   */
  async authenticate(user: string, password: string): Promise<Reply> {
    try {
      const { conversation, said } = await this.#seat.logIn(user, password)
      const answer = this.#judged(conversation, said)
      // Who may wait for the next attempt occupies no place.
      this.park()
      return answer
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** The client is gone, perhaps in the middle of a message. */
  close(midMessage: boolean): void {
    this.#seat.close({ midMessage, holdsMessage: this.#mailReply !== null })
  }

  /**
   * Says what the back end has yet to hear of this message (RSET, MAIL, recipients that it agreed to in
   * another conversation), and one more recipient behind it.
   *
   * @returns The answer to that recipient; null where it did not come to that.
   */
  async #catchUp(recipient: Recipient | null): Promise<Reply | null> {
    for (;;) {
      const conversation = this.#seat.taken ?? (await this.#another())
      // All of them each time would take a thousand recipients half a million looks.
      const unsaid = this.#mailReply === null ? this.#accepted : []
      const stray = conversation.mayRelayForUs ? strayIn(unsaid, recipient) : null
      if (stray === 'new') return failures.routesOn
      if (stray === 'known') return this.#refused(stray)
      const due = this.#due(conversation, recipient)
      const heard = await this.#sayDue(conversation, due)
      if (heard !== null) return this.#heard(conversation, due, heard)
      this.#seat.giveUp()
    }
  }

  #due(conversation: Conversation, recipient: Recipient | null): readonly Due[] {
    const { capabilities } = conversation
    const sender = this.#mailReply === null ? this.#sender : null
    const reset = this.#seat.needsReset
    const due = { reset, forwarding: null, sender, known: this.#accepted, recipient }
    if (sender === null) return linesDue(due, capabilities)
    if (needsMore(sender, capabilities)) {
      this.#mailReply = this.#broken = failures.changedExtensions
      return linesDue({ ...due, sender: null, recipient: null }, capabilities)
    }
    const forwarding = this.#backend.forwarding(conversation, this.#client)
    return linesDue({ ...due, forwarding }, capabilities)
  }

  /** @returns null when all is to be said in another conversation, as this one is dead or may be worn. */
  #sayDue(conversation: Conversation, due: readonly Due[]): Promise<readonly Reply[] | null> {
    const { isSpare } = this.#seat
    const goesOn = (answer: Reply, index: number) => goesOnAfter(due[index], answer)
    const lines = due.map(({ line }) => line)
    const limitMs = this.#backend.options.command_timeout
    const firstMs = isSpare ? spareAnswerMs : limitMs
    return conversation.sayAll(lines, { firstMs, limitMs }, goesOn).then(
      (heard) => {
        this.#seat.isSpare = false
        if (isSpare && !isPositive(heard[0] ?? failures.wentAway)) return null
        const toMail = heard[due.findIndex(({ about }) => about === 'sender')]
        return toMail !== undefined && this.#seat.givesUpOver(toMail) ? null : heard
      },
      (error: unknown) => {
        if (isSpare && error instanceof failures.BackendLost) return null
        throw error
      },
    )
  }

  /** Takes note of what the back end has said to what was due. @returns The answer to the new recipient. */
  #heard(conversation: Conversation, due: readonly Due[], heard: readonly Reply[]): Reply | null {
    for (const [index, answer] of heard.entries()) {
      const judged = this.#judged(conversation, answer)
      const about = due[index]?.about
      if (about === 'new') return this.#isAgreed ? judged : null
      if (about === 'reset') this.#seat.needsReset = false
      if (about === 'sender') this.#mailReply = judged
      if (!isPositive(judged)) this.#refused(about)
    }
    return null
  }

  /** The client may have heard 250 for recipients that are refused now, one by one or with the sender. */
  #refused(about: Due['about'] | undefined): null {
    const isAnew = about === 'known' || (about === 'sender' && this.acceptedCount > 0)
    if (isAnew) this.#mailReply = this.#broken = failures.changedMind
    return null
  }

  /** Whether the back end has agreed to all that the client was told. */
  get #isAgreed(): boolean {
    return this.#broken === null && isPositive(this.#mailReply ?? failures.wentAway)
  }

  /** A conversation in place of the last, where that takes nothing from the client. */
  #another(): Eventual<Conversation> {
    // The client has heard 250 for recipients that are gone with it.
    if (this.#mailReply && this.acceptedCount > 0) throw new failures.BackendLost('back end left')
    this.#mailReply = null
    return this.#seat.take({ mayBeSpare: true })
  }

  /** 421 announces that it hangs up (RFC 5321 section 3.8); 3yz has no meaning here. */
  #judged(conversation: Conversation, answer: Reply, meaningless = isHalf(answer)): Reply {
    if (answer.code === 421 || meaningless) conversation.destroy()
    return meaningless ? failures.wentAway : answer
  }

  #failed(error: unknown): Reply {
    if (this.#leaving.reason !== null) throw this.#leaving.reason
    const known = failures.replyTo(error)
    if (known !== null) return known
    if (!(error instanceof failures.BackendLost)) throw error
    this.#seat.giveUp()
    // Recipients it had agreed to are gone with it, though the client has heard 250 for them.
    if (this.#accepted.length > 0) this.#broken = failures.wentAway
    this.#mailReply = null
    return failures.wentAway
  }

  #forget(): void {
    this.#sender = null
    this.#mailReply = null
    this.#accepted = []
    this.#broken = null
  }
}
