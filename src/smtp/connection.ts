/**
 * One connection: each line of the client goes to the dialogue, and each reply goes out as it is.
 *
 * The package's callbacks are too coarse for a proxy (fixed success texts, HELO in lower case), so
 * its typed connection is subclassed. test/smtp/contract.test.ts lists what is relied on.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection'
import type { Hello } from '../core/client.ts'
import { enhancedLines, isPositive, type Reply } from '../core/reply.ts'
import { decodeBytes } from '../core/text.ts'
import { Content } from '../relay/content.ts'
import { Ended } from '../session/ended.ts'
import type { Session } from '../session/session.ts'
import { Conduct } from './conduct.ts'
import { ContentFeed } from './content-feed.ts'
import { Deadline } from './deadline.ts'
import { Dialogue } from './dialogue.ts'
import { Discard } from './discard.ts'
import { HandshakeLimit } from './handshake.ts'
import * as limits from './limits.ts'
import type { Line } from './line-reader.ts'
import { type Feed, type Hearer, Parser } from './parser.ts'
import type { ServerParts } from './parts.ts'
import { Thrift } from './thrift.ts'

type Server = ConstructorParameters<typeof SMTPConnection>[0]

export class Connection extends SMTPConnection implements Hearer {
  readonly #session: Session
  readonly #dialogue: Dialogue
  readonly #conduct: Conduct
  readonly #parts: ServerParts
  readonly #deadline: Deadline
  readonly #thrift: Thrift
  #handshake: HandshakeLimit | null = null
  /** The last message. */
  #feed: ContentFeed | null = null

  constructor(server: Server, socket: Socket, session: Session, parts: ServerParts) {
    const { id, ip, port, local } = session.client
    super(server, socket, {
      id,
      remoteAddress: ip.text,
      remotePort: port,
      localAddress: local.address,
      localPort: local.port,
    })
    this.#session = session
    this.#parts = parts
    this.#dialogue = new Dialogue(session, parts)
    this.#conduct = new Conduct(session, parts)
    const { clock, limits: own } = parts
    this.#deadline = new Deadline(clock, own.idle_timeout, () => this.#cutOff(limits.tooSlow))
    this.#thrift = new Thrift(clock, {
      pause: () => this._socket.pause(),
      resume: () => this.#isFull || this._socket.resume(),
    })
  }

  /** The gate has waited already: greet at once, without the 100 ms timer of the package. */
  override init(): void {
    this._setClientHostname('')
    this._resetSession()
    this._ready = true
    if (this._socket instanceof TLSSocket) {
      this.session.secure = this.secure = true
      this.#dialogue.secured()
    }
    this._setListeners(() => this._sendGreeting())
    this.#watch()
    this.#session.leaving.listen(() => this.#ended())
  }

  override _createParser(): Parser {
    // The constructor of the package comes here before ours has done anything.
    return new Parser(this._server.options.maxCommandLength ?? 0, this)
  }

  override _onClose(): void {
    super._onClose()
    this.#handshake?.stop()
    this.#deadline.close()
    this.#thrift.close()
    this.#feed?.close()
    this.#session.close()
  }

  override _onTimeout(): void {
    if (this._closing || this._handlerPending) super._onTimeout()
    else this.#cutOff(limits.tooSlow)
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    super.send(code, data, context)
    this.#count(code)
  }

  override handler_STARTTLS(command: Buffer, callback: () => void): void {
    const { tls } = this.#parts
    const context = tls?.certificates.contextFor()
    if (context) this._server.secureContext.set('*', context)
    super.handler_STARTTLS(command, callback)
    if (!this._upgrading || tls === null) return
    this.#handshake = new HandshakeLimit(this._socket, this.#session.client, tls)
  }

  override _onError(error: Error): void {
    this.#handshake?.failed(error)
    super._onError(error)
  }

  secured(): void {
    this.#handshake?.stop()
    this.#watch()
    this.#dialogue.secured()
  }

  turn(): void {
    this.#deadline.start()
  }

  piece(count: number): void {
    this.#thrift.read(count)
  }

  line(line: Line, more: boolean, next: () => void): void {
    this.#deadline.stop()
    if (this._upgrading) return next()
    if (this.#dialogue.isLoggingIn && line.kind === 'line') {
      const answer = this.#dialogue.proceed(line.bytes.toString('latin1'))
      return void this.#pending(answer, () => this._whenWritable(next))
    }
    const verdict = this.#conduct.judge(line, more, (verb) => this._isSupported(verb))
    if (verdict.kind === 'obey') this._onCommand(verdict.command, next)
    else if (verdict.kind === 'close') this.#cutOff(verdict.last)
    else {
      if (verdict.skip > 0) this.#read(new Discard(verdict.skip))
      this.#say(verdict.answer, () => this._whenWritable(next))
    }
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#greet('EHLO', command, callback)
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.#greet('HELO', command, callback)
  }

  override handler_AUTH(command: Buffer, callback: () => void): void {
    void this.#pending(this.#dialogue.login(command.toString('latin1')), callback)
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    this.#say(this.#dialogue.mail(decodeBytes(command)), callback)
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    void this.#pending(this.#dialogue.recipient(decodeBytes(command)), callback)
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    void this.#pending(this.#openData(command), callback)
  }

  override handler_RSET(_command: Buffer, callback: () => void): void {
    this.#say(this.#dialogue.reset(), callback)
  }

  #greet(verb: Hello['verb'], command: Buffer, callback: () => void): void {
    const { answer, name } = this.#dialogue.hello(verb, decodeBytes(command))
    if (name !== null) this.hostNameAppearsAs = name
    this.#say(answer, callback)
  }

  async #openData(command: Buffer): Promise<Reply> {
    const opened = await this.#dialogue.data(decodeBytes(command))
    if (!(opened instanceof Content)) return opened
    this.#feed = new ContentFeed(opened, this.#session.client.ip, this.#parts, (resume) => {
      void this.#pending(this.#finish(opened), resume)
    })
    this.#read(this.#feed)
    return limits.goAhead
  }

  /** From now on what comes is content. */
  #read(feed: Feed): void {
    if (this._parser instanceof Parser) this._parser.feed = feed
  }

  async #finish(content: Content): Promise<Reply> {
    this.#thrift.renew()
    const answer = await this.#dialogue.finish(content)
    if (isPositive(answer)) this.#conduct.delivered()
    return answer
  }

  /** Says a reply that takes time. Whatever goes wrong, the client hears of it and nobody else does. */
  async #pending(answer: Reply | Promise<Reply>, callback: () => void): Promise<void> {
    this._handlerPending = true
    try {
      this.#say(await answer)
    } catch (error) {
      const last = this.#dialogue.explain(error)
      if (last !== null) this.#say(last)
    }
    this._handlerPending = false
    callback()
  }

  /** We end the session: at once when no command is pending, else the command says so. */
  #ended(): void {
    const { reason } = this.#session.leaving
    if (reason instanceof Ended && !this._handlerPending) this.#part(reason.reply)
  }

  #cutOff(last: Reply): void {
    this.#conduct.closed(last)
    this.#part(last)
  }

  /** Says a last word. Who has not read what was said before will not read this, and is not waited for. */
  #part(last: Reply): void {
    if (this._socket.writableNeedDrain) this._socket.destroy()
    else this.#say(last)
  }

  /** The socket is another one under TLS. */
  #watch(): void {
    this._socket.on('pause', this.#tooMuch)
    this._socket.on('data', () => this.#session.spoke())
    this.turn()
  }

  /** The client keeps sending while it is to wait: more of it would hide its leaving. */
  readonly #tooMuch = (): void => {
    if (this._handlerPending && this.#isFull) this.#session.end(limits.tooMuchInput)
  }

  get #isFull(): boolean {
    return this._parser instanceof Parser && this._parser.writableNeedDrain
  }

  #say(answer: Reply, callback?: () => void): void {
    super.send(answer.code, enhancedLines(answer), false)
    this.#count(answer.code)
    callback?.()
  }

  #count(code: number): void {
    const last = this.#conduct.answered(code)
    if (last !== null) this.#cutOff(last)
  }
}
