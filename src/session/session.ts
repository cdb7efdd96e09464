/**
 * One client, from its first word to its last.
 * Everybody is served. Whoever gives reasons is served more slowly. What is said is what the back
 * end says. So each recipient goes the same way: look what speaks against the client, wait what is
 * left of its delay, ask the back end, repeat its answer.
 */
import type { Client, Hello } from '../core/client.ts'
import type { Recipient, Sender } from '../core/envelope.ts'
import { type Entry, type Ledger, openLedger, outcomeOf, type Transaction } from '../core/ledger.ts'
import { isPositive, type Reply, reply, replyText } from '../core/reply.ts'
import type { AddressGuard } from '../memory/address-guard.ts'
import type { Networks } from '../memory/networks.ts'
import type { Backend } from '../relay/backend.ts'
import { noCapabilities, sizeMaxOf } from '../relay/capabilities.ts'
import { Content, type ContentLimits } from '../relay/content.ts'
import { Delivery } from '../relay/delivery.ts'
import { ClientLeft, Ended } from './ended.ts'
import { acceptedIn, LastWord, type LastWordParts } from './last-word.ts'
import { headersOf, hostnameOf, introductionOf, type Papers, protocolOf } from './papers.ts'
import { Reckoning, type ReckoningParts } from './reckoning.ts'
import { type Arrival, Screening, type ScreeningParts } from './screening.ts'

export interface SessionParts extends ReckoningParts, LastWordParts {
  /** What we call ourselves. */
  readonly name: string
  readonly screening: ScreeningParts
  readonly backend: Backend
  readonly limits: ContentLimits
  readonly networks: Networks
  readonly guard: AddressGuard
}

export class Session {
  readonly client: Client
  readonly ledger: Ledger
  readonly screening: Screening
  readonly lastWord: LastWord
  readonly #parts: SessionParts
  readonly #reckoning: Reckoning
  readonly #delivery: Delivery
  readonly #leaving = new AbortController()
  readonly #acceptedAt: number
  #helo: Hello | null = null
  #secure = false
  #login: string | null = null
  #transaction: Transaction | null = null
  #content: Content | null = null
  /** The last command that may take time. */
  #answering: Promise<unknown> = Promise.resolve()
  /** How to end when the message under way is done. */
  #afterData: Reply | null = null
  readonly #closing = Promise.withResolvers<void>()
  /** Settles when the connection is closed. */
  readonly closed = this.#closing.promise
  #isClosed = false

  constructor(client: Client, parts: SessionParts, arrival: Arrival) {
    this.client = client
    this.#parts = parts
    this.#acceptedAt = parts.clock.now()
    this.ledger = openLedger(client.id, parts.clock.wall(), client.ip.text, client.port)
    this.ledger.addressHidden = arrival.addressHidden
    this.screening = new Screening(client, parts.screening, { arrival, signal: this.signal })
    this.#reckoning = new Reckoning(client, parts, this.ledger, this.screening)
    this.lastWord = new LastWord(client.ip, parts)
    this.#delivery = new Delivery(parts.backend, () => introductionOf(this.#papers), this.signal)
  }

  /** Aborts when the client leaves or we end the session: down every await. */
  get signal(): AbortSignal {
    return this.#leaving.signal
  }

  /** True while a message is on its way, which a shutdown lets finish. */
  get inData(): boolean {
    return this.#content !== null
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
    const answer = await this.#delivery.authenticate(user, password)
    if (isPositive(answer)) {
      this.#login = user
      this.ledger.login = user
    }
    return answer
  }

  /** MAIL: nothing is said to the back end before there is a recipient. */
  mail(sender: Sender): Reply {
    const { limits, backend } = this.#parts
    const sizeMax = Math.min(limits.sizeMax, sizeMaxOf(backend.capabilities ?? noCapabilities))
    if (sender.size !== null && sender.size > sizeMax) {
      return reply(552, '5.3.4', `Message exceeds ${sizeMax} bytes`)
    }
    this.#delivery.begin(sender)
    this.#reckoning.newTransaction()
    this.screening.mail(sender)
    this.#transaction = { sender: sender.address, recipients: [], bytes: 0, reply: '' }
    this.ledger.transactions.push(this.#transaction)
    return reply(250, '2.1.0', 'Sender ok')
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
    const isFull = this.#delivery.isFull
    const refusal = isFull
      ? null
      : await this.#reckoning.settle({
          address: recipient.address,
          transaction: this.#transaction,
          arrivedAt,
          loggedIn: this.#login !== null,
          hostname: () => hostnameOf(this.#papers) ?? '',
          signal: this.signal,
          beforeWait: () => this.#delivery.park(),
        })
    const answer = refusal ?? (await this.#delivery.recipient(recipient))
    if (refusal === null) this.#reckoning.answered(answer)
    this.#transaction?.recipients.push({ address: recipient.address, reply: replyText(answer) })
    return answer
  }

  /**
   * DATA. Never delayed: a client that gave up here would send the message twice (RFC 1047).
   *
   * @returns Where the content goes, or why it may not be sent.
   */
  async data(): Promise<Content | Reply> {
    const opened = await this.#delivery.data(this.#parts.limits)
    if (!(opened instanceof Content)) {
      this.#settle(opened)
      return opened
    }
    this.#content = opened
    this.lastWord.watch(opened)
    opened.prepend(this.#headers())
    return opened
  }

  /** The content has ended. @returns The back end's final reply. */
  async finish(content: Content): Promise<Reply> {
    const finishing = this.lastWord.finish(content, this.#transaction)
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
    this.#delivery.reset()
    this.#transaction = null
  }

  /** Writes down what cost the client time before RCPT. */
  note(entry: Entry): void {
    this.ledger.entries.push(entry)
  }

  /**
   * Ends the session from our side: a wait ends at once, a message under way is finished first.
   *
   * @param answer The last thing that the client hears.
   */
  end(answer: Reply): void {
    if (this.inData) {
      this.#afterData = answer
      return
    }
    this.ledger.reason ||= replyText(answer)
    this.#leaving.abort(new Ended(answer))
  }

  /** The connection is closed, by whomever. Everything is freed; the ledger goes to the log, once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closing.resolve()
    this.#leaving.abort(new ClientLeft())
    this.lastWord.left(() => this.#delivery.close(this.#content !== null))
    // What the client was waiting for ends with it; how long it waited belongs into the ledger.
    void this.#answering.catch(() => {}).then(() => this.#closeLedger())
  }

  #closeLedger(): void {
    const { clock, log } = this.#parts
    this.ledger.hostname = hostnameOf(this.#papers) ?? ''
    this.ledger.lookupCount = this.screening.lookupCount
    if (!this.ledger.addressHidden) this.#parts.networks.remember(this.client.ip.network)
    this.ledger.protocol = protocolOf(this.#papers)
    this.ledger.durationMs = Math.round(clock.now() - this.#acceptedAt)
    this.ledger.outcome = outcomeOf(this.ledger)
    log.event('connection', { ledger: this.ledger })
  }

  #settle(answer: Reply): void {
    if (this.#transaction !== null) this.#transaction.reply = replyText(answer)
    this.#transaction = null
  }

  get #papers(): Papers {
    const { identity } = this.screening
    const helo = this.#helo
    return { client: this.client, identity, helo, secure: this.#secure, login: this.#login }
  }

  #headers(): string {
    const { name, clock } = this.#parts
    return headersOf(this.#papers, {
      by: name,
      recipients: acceptedIn(this.#transaction),
      findings: this.#reckoning.findings,
      at: clock.wall(),
    })
  }
}
