/**
 * The place that one client has at the back end: a conversation, when there is one.
 *
 * Opened late, given up whenever the client is made to wait, and passed on to the next client where
 * the back end was told nothing about this one.
 */
import type { Eventual } from '../core/eventual.ts'
import type { Leaving } from '../core/leaving.ts'
import { isPositive, type Reply } from '../core/reply.ts'
import type { Backend } from './backend.ts'
import type { Conversation } from './conversation.ts'
import type { Introduction } from './introduce.ts'

export class Seat {
  readonly #backend: Backend
  readonly #client: () => Introduction
  readonly #leaving: Leaving
  #conversation: Conversation | null = null
  /** Whether the next one must not have served anybody. */
  #mustBeNew = false
  /** True when the back end still holds a message that was given up, or may do so: RSET is due. */
  needsReset = false
  /** True when another client was served in this conversation, and nothing was said since. */
  isSpare = false
  /** True when the client has logged in to this conversation. */
  isLoggedIn = false

  /** @param client Who it is, by now. */
  constructor(backend: Backend, client: () => Introduction, leaving: Leaving) {
    this.#backend = backend
    this.#client = client
    this.#leaving = leaving
  }

  /** The conversation, as long as something can be said in it. */
  get taken(): Conversation | null {
    if (this.#conversation?.lost) {
      this.#conversation.destroy()
      this.#conversation = null
    }
    return this.#conversation
  }

  /**
   * Another conversation: a new one, or one that is kept for whoever comes.
   *
   * @throws As Backend.converse, or why the client is gone.
   */
  take({ mayBeSpare }: { readonly mayBeSpare: boolean }): Eventual<Conversation> {
    if (this.#leaving.reason !== null) throw this.#leaving.reason
    this.needsReset = false
    const client = this.#client()
    // We keep no password, but the back end may take our word for who has logged in.
    const mustBeNew = this.isLoggedIn || this.#mustBeNew || !mayBeSpare
    this.#mustBeNew = false
    const spare = mustBeNew ? null : this.#backend.spare.take(client.secure)
    if (spare !== null) return this.#taken(spare, true)
    const conversed = this.#backend.converse(client, this.#leaving.signal, this.isLoggedIn)
    return conversed.then((conversation) => this.#taken(conversation, false))
  }

  /**
   * Says AUTH in the conversation that will carry the mail.
   *
   * @returns It, and what the back end says there.
   * @throws As take, and BackendLost.
   */
  async logIn(
    user: string,
    password: string,
  ): Promise<{ readonly conversation: Conversation; readonly said: Reply }> {
    const conversation = this.taken ?? (await this.take({ mayBeSpare: false }))
    const secret = Buffer.from(`\0${user}\0${password}`).toString('base64')
    const { command_timeout } = this.#backend.options
    const said = await conversation.say(`AUTH PLAIN ${secret}`, command_timeout)
    this.isLoggedIn = isPositive(said)
    conversation.mayRelayForUs &&= !this.isLoggedIn
    return { conversation, said }
  }

  #taken(conversation: Conversation, isSpare: boolean): Conversation {
    if (this.#leaving.reason !== null) {
      conversation.quit()
      throw this.#leaving.reason
    }
    this.isSpare = isSpare
    this.needsReset = isSpare
    this.#conversation = conversation
    return conversation
  }

  /**
   * Gives the conversation up where it may have carried as many messages as the back end lets one: OpenSMTPD answers 452
   * to the 101st MAIL, Stalwart to DATA, Exim 421. The client cannot help that, so the next one is new.
   *
   * @param answer To MAIL or DATA.
   * @returns Whether it is given up.
   */
  givesUpOver({ code }: Reply): boolean {
    const hasCarried = (this.#conversation?.takenCount ?? 0) > 0
    if (code < 400 || code >= 500 || !hasCarried || this.isLoggedIn) return false
    this.giveUp()
    this.#mustBeNew = true
    return true
  }

  /** The conversation is over, or is to be; nothing of it is of use to anybody. */
  giveUp(): void {
    this.#conversation?.quit()
    this.#conversation = null
    this.needsReset = false
  }

  /**
   * The client is gone. In the middle of a message the back end sees a broken connection, never an end.
   *
   * @param holdsMessage Whether the back end has heard of a message that has not ended.
   */
  close({ midMessage, holdsMessage }: { midMessage: boolean; holdsMessage: boolean }): void {
    const conversation = this.#conversation
    this.#conversation = null
    const isIdle = !(holdsMessage || this.needsReset || this.isLoggedIn)
    if (midMessage) conversation?.destroy()
    else if (conversation?.mayServeOthers && isIdle) this.#backend.spare.give(conversation)
    else conversation?.quit()
  }
}
