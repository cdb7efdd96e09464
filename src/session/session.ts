/**
 * One client, from its first word to its last.
 * Everybody is served. Whoever gives reasons is served more slowly. What is said is what the back
 * end says. So each recipient goes the same way: look what speaks against the client, wait what is
 * left of its delay, ask the back end, repeat its answer.
 */
import type { Client, Hello, Whereabouts } from '../core/client.ts'
import type { Recipient, Sender } from '../core/envelope.ts'
import { Leaving } from '../core/leaving.ts'
import { type Ledger, noteRecipient, type Transaction } from '../core/ledger.ts'
import { isPositive, type Reply, reply, replyText } from '../core/reply.ts'
import type { AddressGuard } from '../memory/address-guard.ts'
import { sizeRefusal } from '../relay/capabilities.ts'
import { Content, type ContentLimits } from '../relay/content.ts'
import { clientLeft, Ended } from './ended.ts'
import { type ForMail, type ForMailParts, forMail } from './for-mail.ts'
import { acceptedIn } from './last-word.ts'
import { headersOf, introductionOf, type Papers } from './papers.ts'
import { Record, type RecordParts } from './record.ts'
import { type Arrival, Screening, type ScreeningParts } from './screening.ts'

export interface SessionParts extends ForMailParts, RecordParts {
  /** What we call ourselves. */
  readonly name: string
  readonly screening: ScreeningParts
  readonly limits: ContentLimits
  readonly guard: AddressGuard
}

/** Who comes in place of a client that speaks for others; or what that one is to be told. */
export type Successor = (client: Whereabouts) => Session | Reply

export class Session {
  readonly client: Client
  /** The client leaves, or we end the session: called off is then all that goes on for it. */
  readonly leaving = new Leaving()
  readonly screening: Screening
  /** Who has let the client in; is told once when the connection is closed. */
  host: { left(): void } | null = null
  readonly #parts: SessionParts
  readonly #record: Record
  #made: ForMail | null = null
  #helo: Hello | null = null
  #secure = false
  #login: string | null = null
  #transaction: Transaction | null = null
  #content: Content | null = null
  /** The last command that may take time. */
  #answering: Promise<unknown> | null = null
  /** How to end when the message under way is done. */
  #afterData: Reply | null = null
  #isClosed = false

  constructor(client: Client, parts: SessionParts, arrival: Arrival) {
    this.client = client
    this.#parts = parts
    this.#record = new Record(client, parts, arrival.addressHidden)
    this.screening = new Screening(client, parts.screening, arrival, this.leaving)
  }

  /** One record for everything that cost the client time. */
  get ledger(): Ledger {
    return this.#record.ledger
  }

  /** The client has sent something, so it has heard all that was said before. */
  spoke(): void {
    this.#made?.lastWord.spoke()
  }

  /** HELO or EHLO: who the client says it is. Like RSET, it ends a message that was begun. */
  hello(helo: Hello): void {
    this.#helo = helo
    this.ledger.helo = helo.name
    this.reset()
    this.#parts.guard.heard(this.client.ip, helo.name)
    this.screening.hello(helo.name)
  }

  /** STARTTLS: what was said in the clear is forgotten (RFC 3207 section 4.2). */
  secured(): void {
    this.#secure = true
    this.#helo = null
    this.reset()
    this.screening.secured()
  }

  /** AUTH: asked of the back end itself. Who has logged in never waits. */
  async authenticate(user: string, password: string): Promise<Reply> {
    const { loggingIn, delivery } = this.#forMail
    const answered = loggingIn.attempt(() => delivery.authenticate(user, password))
    this.#answering = answered
    const answer = await answered
    if (isPositive(answer)) this.vouchedFor(user)
    return answer
  }

  /** Who speaks for the client says that it has logged in there. */
  vouchedFor(login: string): void {
    this.#login = login
    this.ledger.login = login
  }

  get isLoggedIn(): boolean {
    return this.#login !== null
  }

  /** MAIL: nothing is said to the back end before there is a recipient. */
  mail(sender: Sender): Reply {
    const { limits, backend } = this.#parts
    const tooLarge = sizeRefusal(sender, limits.sizeMax, backend.capabilities)
    if (tooLarge !== null) return tooLarge
    this.#forMail.delivery.begin(sender)
    this.#forMail.reckoning.newTransaction()
    this.screening.mail(sender)
    this.#transaction = { sender: sender.address, recipients: [], bytes: 0, reply: '' }
    this.ledger.transactions.push(this.#transaction)
    return reply(250, '2.1.0', 'Sender ok')
  }

  /** Recipients of this message that the back end has agreed to. */
  get acceptedCount(): number {
    return this.#made?.delivery.acceptedCount ?? 0
  }

  /**
   * RCPT: the one place where a client waits, and where the back end first hears of it.
   *
   * @throws Ended or ClientLeft.
   */
  recipient(recipient: Recipient): Promise<Reply> {
    const answered = this.#recipient(recipient)
    this.#answering = answered
    return answered
  }

  async #recipient(recipient: Recipient): Promise<Reply> {
    const arrivedAt = this.#parts.clock.now()
    // What will be put off anyway is not made to wait for.
    const { delivery, reckoning } = this.#forMail
    const refusal = delivery.isFull
      ? null
      : await reckoning.settle({
          address: recipient.address,
          transaction: this.#transaction,
          arrivedAt,
          loggedIn: this.isLoggedIn,
        })
    const answer = refusal ?? (await delivery.recipient(recipient))
    if (refusal === null) reckoning.answered(answer)
    const transaction = this.#transaction
    const noted = { address: recipient.address, reply: replyText(answer) }
    if (transaction !== null) noteRecipient(this.ledger, transaction, noted)
    return answer
  }

  /**
   * DATA. Never delayed: a client that gave up here would send the message twice (RFC 1047).
   *
   * @returns Where the content goes, or why it may not be sent.
   */
  async data(): Promise<Content | Reply> {
    const { delivery, reckoning } = this.#forMail
    const opened = reckoning.deferred ?? (await delivery.data(this.#parts.limits))
    if (!(opened instanceof Content)) {
      this.#settle(opened)
      return opened
    }
    this.#content = opened
    this.#forMail.lastWord.watch(opened)
    opened.prepend(this.#headers())
    return opened
  }

  /** The content has ended. @returns The back end's final reply. */
  async finish(content: Content): Promise<Reply> {
    const finishing = this.#forMail.lastWord.finish(content, this.#transaction)
    this.#answering = finishing
    const answer = await finishing
    if (this.#transaction !== null) this.#transaction.bytes = content.byteCount
    this.#content = null
    this.#settle(answer)
    const last = this.#afterData
    if (last !== null) setImmediate(() => this.end(last))
    return answer
  }

  /** RSET, or whatever else gives up a message that was begun. */
  reset(): void {
    this.#made?.delivery.reset()
    this.#transaction = null
  }

  /**
   * Ends the session from our side: a wait ends at once, a message under way is finished first.
   *
   * @param answer The last thing that the client hears.
   */
  end(answer: Reply): void {
    if (this.#content?.isRefused === false) {
      this.#afterData = answer
      return
    }
    this.ledger.reason ||= replyText(answer)
    this.leaving.leave(new Ended(answer))
  }

  /** The connection is closed, by whomever. Everything is freed; the ledger goes to the log, once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.host?.left()
    this.leaving.leave(clientLeft)
    const made = this.#made
    made?.lastWord.left(() => made.delivery.close(this.#content !== null))
    // What the client was waiting for ends with it; how long it waited belongs into the ledger.
    void Promise.resolve(this.#answering)
      .catch(() => {})
      .then(() => this.#record.close(this.#papers, this.screening.lookupCount))
  }

  #settle(answer: Reply): void {
    if (this.#transaction !== null) this.#transaction.reply = replyText(answer)
    this.#transaction = null
  }

  get #forMail(): ForMail {
    if (this.#made !== null) return this.#made
    const { client, ledger, screening, leaving } = this
    const visit = { client, ledger, screening, leaving, connectedAt: this.#record.connectedAt }
    this.#made = forMail(visit, this.#parts, () => introductionOf(this.#papers))
    return this.#made
  }

  get #papers(): Papers {
    const { client, screening } = this
    const [helo, secure, login] = [this.#helo, this.#secure, this.#login]
    return { client, told: screening.mayBeTold, identity: screening.identity, helo, secure, login }
  }

  #headers(): string {
    const { name, clock } = this.#parts
    return headersOf(this.#papers, {
      by: name,
      recipients: acceptedIn(this.#transaction),
      findings: this.#forMail.reckoning.findings,
      at: clock.wall(),
    })
  }
}
