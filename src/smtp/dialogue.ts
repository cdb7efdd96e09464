/**
 * The commands of a client, in their order (RFC 5321 section 4.1.4): each line becomes a reply.
 *
 * What is wrong with a command is answered here; what is about mail is asked of the session. Knows
 * nothing of sockets, and of the package that reads the lines.
 */
import type { Hello } from '../core/client.ts'
import type { Eventual } from '../core/eventual.ts'
import { isPositive, type Reply, reply } from '../core/reply.ts'
import { Content } from '../relay/content.ts'
import { ClientLeft, Ended, ourFault } from '../session/ended.ts'
import type { Session, Successor } from '../session/session.ts'
import { type Offered, parseHelo, parseMail, parseRcpt } from './command.ts'
import { Conduct } from './conduct.ts'
import { keywords, offeredBy } from './ehlo.ts'
import type { ServerParts } from './parts.ts'
import { type Exchange, exchange, needsTls, tooLong } from './sasl.ts'
import { verbOf, wordsOf } from './verbs.ts'
import { parseXclient } from './xclient.ts'

const ok = reply(250, '2.0.0', 'Ok')
const needHello = reply(503, '5.5.1', 'HELO or EHLO first')
const nested = reply(503, '5.5.1', 'MAIL has been given already')
const needMail = reply(503, '5.5.1', 'MAIL first')
const needRcpt = reply(503, '5.5.1', 'RCPT first')
const dataSyntax = reply(501, '5.5.4', 'DATA takes no argument')
const notInTransaction = reply(503, '5.5.1', 'Not in the middle of a message')
const notAuthorized = reply(550, '5.7.0', 'You may not speak for others')
const loggedInAlready = reply(503, '5.5.1', 'You have logged in already')
const tooManyRecipients = reply(452, '4.5.3', 'Too many recipients; send the others another time')

export class Dialogue {
  readonly session: Session
  readonly conduct: Conduct
  readonly #parts: ServerParts
  readonly #successor: Successor | null
  /** Whether the client has said who it is. */
  #isGreeted = false
  #inTransaction = false
  #smtputf8 = false
  #recipientCount = 0
  #secure = false
  #exchange: Exchange | null = null

  /** @param successor null when the client may not speak for others. */
  constructor(session: Session, parts: ServerParts, successor: Successor | null) {
    this.session = session
    this.conduct = new Conduct(session, parts)
    this.#parts = parts
    this.#successor = successor
  }

  /** EHLO or HELO. */
  hello(verb: Hello['verb'], line: string): Reply {
    const parsed = parseHelo(line)
    if ('refusal' in parsed) return parsed.refusal
    this.#isGreeted = true
    this.#endTransaction()
    this.session.hello({ verb, name: parsed.value })
    const { name, auth, tls, limits, capabilities } = this.#parts
    const ours = {
      sizeMax: limits.size_max,
      startTls: tls !== null && !this.#secure,
      secure: this.#secure,
      auth: auth && this.#secure && !this.session.isLoggedIn,
      xclient: this.#successor !== null,
    }
    const extensions = verb === 'HELO' ? [] : keywords(capabilities(), ours)
    return { code: 250, enhanced: '', lines: [name, ...extensions] }
  }

  /** The session is under TLS now; what was said before is forgotten (RFC 3207 section 4.2). */
  secured(): void {
    this.#secure = true
    this.#isGreeted = false
    this.#endTransaction()
    this.session.secured()
  }

  /** True when the next line is no command, but belongs to AUTH. */
  get isLoggingIn(): boolean {
    return this.#exchange !== null
  }

  /** AUTH. */
  login(line: string): Eventual<Reply> {
    if (!this.#isGreeted) return needHello
    if (this.#inTransaction) return notInTransaction
    if (this.session.isLoggedIn) return loggedInAlready
    if (!this.#secure) return needsTls
    this.#exchange = exchange(line)
    return this.proceed('')
  }

  /** What the client says in the course of AUTH. */
  proceed(line: string): Eventual<Reply> {
    const step = this.#exchange?.next(line)
    if (step?.done === false) return step.value
    this.#exchange = null
    const outcome = step?.value ?? loggedInAlready
    return 'code' in outcome ? outcome : this.session.authenticate(outcome.user, outcome.password)
  }

  /** Whether a line that begins so is of AUTH: the command, or what is said in the course of it. */
  isOfLogin(begins: Buffer): boolean {
    return this.isLoggingIn || verbOf(begins) === 'AUTH'
  }

  /** A line of AUTH was too long, which ends that and nothing else (RFC 4954 section 4). */
  loginTooLong(): Reply {
    this.#exchange = null
    return tooLong
  }

  /** XCLIENT. @returns The dialogue that begins with it; the reply, where none does. */
  introduces(line: string): Dialogue | Reply {
    if (this.#successor === null) return notAuthorized
    if (this.#inTransaction) return notInTransaction
    const parsed = parseXclient(line, this.session.client)
    if ('refusal' in parsed) return parsed.refusal
    const next = this.#successor(parsed.value)
    if ('code' in next) return next
    if (parsed.value.login !== null) next.vouchedFor(parsed.value.login)
    return new Dialogue(next, this.#parts, null)
  }

  mail(line: string): Reply {
    if (!this.#isGreeted) return needHello
    if (this.#inTransaction) return nested
    const parsed = parseMail(line, this.#offered)
    if ('refusal' in parsed) return parsed.refusal
    const answer = this.session.mail(parsed.value)
    this.#inTransaction = isPositive(answer)
    this.#smtputf8 = parsed.value.smtputf8
    return answer
  }

  /** A reply that needs no waiting, or a promise of one that may need minutes. */
  recipient(line: string): Eventual<Reply> {
    if (!this.#isGreeted) return needHello
    if (!this.#inTransaction) return needMail
    const parsed = parseRcpt(line, this.#offered, this.#smtputf8)
    if ('refusal' in parsed) return parsed.refusal
    if (this.session.acceptedCount >= this.#parts.limits.recipients_max) return tooManyRecipients
    this.#recipientCount += 1
    return this.session.recipient(parsed.value)
  }

  data(line: string): Eventual<Content | Reply> {
    if (!this.#isGreeted) return needHello
    if (wordsOf(line).length > 1) return dataSyntax
    if (!this.#inTransaction) return needMail
    return this.#recipientCount === 0 ? needRcpt : this.#openData()
  }

  /** The content has ended. */
  finish(content: Content): Promise<Reply> {
    return this.session.finish(content).then((answer) => {
      if (isPositive(answer)) this.conduct.delivered()
      this.#endTransaction()
      return answer
    })
  }

  /** NOOP. */
  nothing(): Reply {
    return ok
  }

  reset(): Reply {
    this.session.reset()
    this.#endTransaction()
    return ok
  }

  /** What the client hears of something that was thrown; null when it is gone. Bugs go to the log. */
  explain(error: unknown): Reply | null {
    if (error instanceof Ended) return error.reply
    if (error instanceof ClientLeft) return null
    this.#parts.log.fault('dialogue', error)
    return ourFault
  }

  #openData(): Promise<Content | Reply> {
    return this.session.data().then((opened) => {
      if (!(opened instanceof Content)) this.#endTransaction()
      return opened
    })
  }

  get #offered(): Offered {
    return offeredBy(this.#parts.capabilities(), this.#secure)
  }

  #endTransaction(): void {
    this.#inTransaction = false
    this.#smtputf8 = false
    this.#recipientCount = 0
  }
}
