/**
 * What one client says, said again to the back end, one command at a time.
 *
 * Knows no reasons and no delays. The conversation is opened for the first recipient, not before,
 * and given up whenever the client is made to wait (`park`), so that a waiting client never
 * occupies a place at the back end; afterwards it is told again what it had agreed to.
 */
import { type Recipient, type Sender, splitAddress } from '../core/envelope.ts'
import type { Leaving } from '../core/leaving.ts'
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

/** A line that is to be said to the back end. */
interface Due {
  readonly line: string
  readonly about: 'reset' | 'forwarding' | 'sender' | 'known' | 'new'
}

export class Delivery {
  readonly #backend: Backend
  readonly #client: () => Introduction
  readonly #leaving: Leaving
  #conversation: Conversation | null = null
  #sender: Sender | null = null
  /** The answer to MAIL on the present conversation; null while it has not been said there. */
  #mailReply: Reply | null = null
  #accepted: Recipient[] = []
  /** True when the back end still holds a message that the client has given up. */
  #stale = false
  /** True when another client was served in the present conversation, and nothing was said since. */
  #isSpare = false
  /** True when the present conversation is one that the client has logged in to. */
  #loggedIn = false
  /** Set when the back end no longer agrees to what the client has been told. */
  #broken: Reply | null = null

  /** @param leaving That of the client. */
  constructor(backend: Backend, client: () => Introduction, leaving: Leaving) {
    this.#backend = backend
    this.#client = client
    this.#leaving = leaving
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
      const answer = await this.#catchUp(recipient)
      if (answer === null) return this.#broken ?? this.#mailReply ?? wentAway
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
      if (this.#mailReply === null) await this.#catchUp(null)
      const conversation = await this.#open()
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

  /**
   * Says what the back end has yet to hear of this message (RSET, MAIL, recipients that it agreed to in
   * another conversation), and one more recipient behind it.
   *
   * @returns The answer to that recipient; null where it did not come to that.
   */
  async #catchUp(recipient: Recipient | null): Promise<Reply | null> {
    for (;;) {
      const conversation = await this.#open()
      const due = this.#due(conversation, recipient)
      const isSpare = this.#isSpare
      try {
        const heard = await this.#sayDue(conversation, due)
        this.#isSpare = false
        if (!isSpare || isPositive(heard[0] ?? wentAway))
          return this.#heard(conversation, due, heard)
        conversation.quit()
      } catch (error) {
        if (!isSpare || !(error instanceof BackendLost)) throw error
      }
      // One that has served another client and does no longer has heard nothing of this one.
      this.#conversation = null
    }
  }

  /** The lines that are due, and what each is about. */
  #due(conversation: Conversation, recipient: Recipient | null): readonly Due[] {
    const { capabilities } = conversation
    const due: Due[] = []
    if (this.#stale) due.push({ line: 'RSET', about: 'reset' })
    const sender = this.#sender
    if (this.#mailReply === null && sender !== null) {
      if (needsMore(sender, capabilities)) {
        this.#mailReply = changedExtensions
        this.#broken = changedExtensions
        return due
      }
      const forwarding = this.#backend.forwarding(conversation, this.#client())
      // What comes of it is for the log of the back end; refused or not, the mail goes on.
      if (forwarding !== null) due.push({ line: forwarding, about: 'forwarding' })
      due.push({ line: mailCommand(sender, capabilities), about: 'sender' })
      for (const known of this.#accepted) {
        due.push({ line: rcptCommand(known, capabilities), about: 'known' })
      }
    }
    if (recipient !== null) due.push({ line: rcptCommand(recipient, capabilities), about: 'new' })
    return due
  }

  #sayDue(conversation: Conversation, due: readonly Due[]): Promise<readonly Reply[]> {
    const lines = due.map(({ line }) => line)
    return conversation.sayAll(lines, this.#backend.options.command_timeout, (answer, index) => {
      const about = due[index]?.about
      return isPositive(answer) || (about === 'forwarding' && answer.code !== 421)
    })
  }

  /** Takes note of what the back end has said to what was due. @returns The answer to the new recipient. */
  #heard(conversation: Conversation, due: readonly Due[], heard: readonly Reply[]): Reply | null {
    for (const [index, answer] of heard.entries()) {
      const judged = this.#judged(conversation, answer)
      const about = due[index]?.about
      if (about === 'new') return this.#isAgreed ? judged : null
      if (about === 'reset') this.#stale = false
      if (about === 'sender') this.#mailReply = judged
      if (!isPositive(judged)) this.#refused(about)
    }
    return null
  }

  /** The client may have heard 250 for recipients that are refused now, one by one or with the sender. */
  #refused(about: Due['about'] | undefined): void {
    const isAnew = about === 'known' || (about === 'sender' && this.#accepted.length > 0)
    if (!isAnew) return
    this.#broken = changedMind
    this.#mailReply = changedMind
  }

  /** Whether the back end has agreed to all that the client was told. */
  get #isAgreed(): boolean {
    return this.#broken === null && this.#mailReply !== null && isPositive(this.#mailReply)
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
    const spare = loggedIn ? null : this.#backend.spare.take(client.secure)
    const conversation =
      spare ?? (await this.#backend.converse(client, this.#leaving.signal, loggedIn))
    if (this.#leaving.reason !== null) conversation.quit()
    this.#isSpare = spare !== null
    this.#stale = this.#isSpare
    this.#unlessLeft()
    this.#conversation = conversation
    return conversation
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
    this.#unlessLeft()
    const known = replyTo(error)
    if (known !== null) return known
    if (!(error instanceof BackendLost)) throw error
    this.#conversation = null
    // Recipients it had agreed to are gone with it, though the client has heard 250 for them.
    if (this.#accepted.length > 0) this.#broken = wentAway
    this.#mailReply = null
    return wentAway
  }

  #unlessLeft(): void {
    if (this.#leaving.reason !== null) throw this.#leaving.reason
  }

  #forget(): void {
    this.#sender = null
    this.#mailReply = null
    this.#accepted = []
    this.#broken = null
  }
}
