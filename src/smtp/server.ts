/**
 * Speaks SMTP with clients. The only file that knows smtp-server.
 *
 * Of the package we use the command parser, STARTTLS, SASL, the idle timer and the rules for
 * closing. Its callbacks are too coarse for a proxy (fixed success texts, HELO in lower case), so
 * its typed connection is subclassed: each command goes to the dialogue and the reply goes out as
 * it is. Content goes past its parser as it came. test/smtp/contract.test.ts lists what is relied on.
 */
import type { Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection'
import { SMTPStream } from 'smtp-server/lib/smtp-stream'
import type { Hello } from '../core/client.ts'
import { enhancedLines, type Reply } from '../core/reply.ts'
import { decodeBytes } from '../core/text.ts'
import { Content } from '../relay/content.ts'
import { Ended } from '../session/ended.ts'
import type { Session } from '../session/session.ts'
import { ContentFeed } from './content-feed.ts'
import { Dialogue } from './dialogue.ts'
import * as limits from './limits.ts'
import type { ServerParts } from './parts.ts'

export class TreacleServer extends SMTPServer {
  readonly #parts: ServerParts

  constructor(parts: ServerParts) {
    super({
      name: parts.name,
      disabledCommands: limits.disabledCommands(parts),
      authOptional: true,
      authMethods: ['PLAIN', 'LOGIN'],
      disableReverseLookup: true,
      hideENHANCEDSTATUSCODES: false,
      socketTimeout: parts.idleTimeoutMs,
      logger: false,
      ...(parts.tls === null ? {} : { ...parts.tls, minVersion: 'TLSv1.2' as const }),
      onSecure: (_socket, session, done) => {
        connections.get(session)?.secured()
        done()
      },
      onAuth: ({ username, password }, session, done) => {
        const login = connections.get(session)?.login(username ?? '', password ?? '')
        void login?.then((response) => done(null, response))
      },
    })
    this.#parts = parts
    // A broken connection is no error of ours; its session notices by itself.
    this.on('error', () => {})
  }

  /** Takes over a client that the gate has let in, and greets it. */
  serve(socket: Socket, session: Session): void {
    const connection = new Connection(this, socket, session, this.#parts)
    this.connections.add(connection)
    connection.on('error', () => socket.destroy())
    connection.init()
  }
}

/** Which connection a session object of the package belongs to. */
const connections = new WeakMap<object, Connection>()

class Connection extends SMTPConnection {
  readonly #session: Session
  readonly #dialogue: Dialogue
  /** True while a reply is being waited for that may take minutes. */
  #waiting = false
  /** Said in place of what the package is about to say. */
  #instead: Reply | null = null

  constructor(server: SMTPServer, socket: Socket, session: Session, parts: ServerParts) {
    const { id, ip, port, local } = session.client
    super(server, socket, {
      id,
      remoteAddress: ip.text,
      remotePort: port,
      localAddress: local.address,
      localPort: local.port,
    })
    this.#session = session
    this.#dialogue = new Dialogue(session, parts)
    connections.set(this.session, this)
  }

  /** The gate has waited already: greet at once, without the 100 ms timer of the package. */
  override init(): void {
    this._setClientHostname('')
    this._resetSession()
    this._ready = true
    this._setListeners(() => this._sendGreeting())
    this._socket.on('pause', this.#tooMuch)
    this._socket.on('data', () => this.#session.lastWord.spoke())
    this.#session.signal.addEventListener('abort', () => this.#ended(), { once: true })
  }

  override _createParser(): SMTPStream {
    const parser = new Parser({
      maxCommandLength: limits.commandMax,
      highWaterMark: limits.pendingInputMax,
    })
    parser.oncommand = (command, callback) => this._onCommand(command, callback)
    parser.on('error', () => this.#say(limits.lineTooLong))
    parser.onText = (text) => this.#dialogue.heard(text)
    return parser
  }

  override _onClose(): void {
    super._onClose()
    this.#session.close()
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const instead = this.#instead
    this.#instead = null
    if (instead === null) super.send(code, data, context)
    else this.#say(instead)
  }

  secured(): void {
    this._socket.on('pause', this.#tooMuch)
    this._socket.on('data', () => this.#session.lastWord.spoke())
    this.#dialogue.secured()
  }

  /** AUTH, with what the package has read of it. The words that the client hears are the back end's. */
  async login(user: string, password: string): Promise<{ user?: string }> {
    try {
      this.#instead = await this.#dialogue.login(user, password)
    } catch (error) {
      this.#instead = this.#dialogue.explain(error)
    }
    return this.#instead?.code === 235 ? { user } : {}
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#greet('EHLO', command, callback)
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.#greet('HELO', command, callback)
  }

  override handler_AUTH(command: Buffer, callback: () => void): void {
    const refusal = this.#dialogue.beforeLogin()
    if (refusal === null) super.handler_AUTH(command, callback)
    else this.#say(refusal, callback)
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
    if (this._parser instanceof Parser) {
      this._parser.feed = new ContentFeed(opened, (resume) => {
        void this.#pending(this.#dialogue.finish(opened), resume)
      })
    }
    return limits.goAhead
  }

  /** Says a reply that takes time. Whatever goes wrong, the client hears of it and nobody else does. */
  async #pending(answer: Reply | Promise<Reply>, callback: () => void): Promise<void> {
    this.#waiting = true
    this._handlerPending = true
    try {
      this.#say(await answer)
    } catch (error) {
      const last = this.#dialogue.explain(error)
      if (last !== null) this.#say(last)
    }
    this.#waiting = false
    this._handlerPending = false
    callback()
  }

  /** We end the session: at once when no command is pending, else the command says so. */
  #ended(): void {
    const reason: unknown = this.#session.signal.reason
    if (reason instanceof Ended && !this._handlerPending) this.#say(reason.reply)
  }

  /** The client keeps sending while it is to wait: more of it would hide its leaving. */
  readonly #tooMuch = (): void => {
    const full = this._parser instanceof Parser && this._parser.writableNeedDrain
    if (this.#waiting && full) this.#session.end(limits.tooMuchInput)
  }

  #say(answer: Reply, callback?: () => void): void {
    super.send(answer.code, enhancedLines(answer), false)
    callback?.()
  }
}

/** The parser of the package for commands, and a bypass for content. */
class Parser extends SMTPStream {
  #feed: ContentFeed | null = null
  onText: (text: string) => void = () => {}

  /** From now on what comes is content, until its end. */
  set feed(feed: ContentFeed) {
    this.#feed = feed
    this._dataMode = true
  }

  override _write(...[chunk, encoding, next]: Parameters<SMTPStream['_write']>): void {
    if (!this._dataMode) this.onText(this._remainder + chunk.toString('latin1'))
    super._write(chunk, encoding, next)
  }

  override _feedDataStream(chunk: Buffer, done: (error?: Error | null) => void): void {
    const feed = this.#feed
    if (feed === null || this.isClosed) return done()
    const { rest, drained } = feed.push(chunk)
    if (rest !== null) {
      this.#feed = null
      this._dataMode = false
      this._remainder = ''
      feed.end(() => this._write(rest, 'buffer', done))
    } else if (drained === undefined) done()
    else void drained.then(() => done())
  }

  /** A line that the client never finished is no command. */
  override _flushData(): void {}
}
