/**
 * The lower half of a connection: the socket with and without TLS, how long a client may take, how a
 * reply goes out and how it ends. What is said is for connection.ts. The only file that knows the
 * connection of smtp-server; test/smtp/contract.test.ts lists what is relied on.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection'
import { Deadline } from '../core/deadline.ts'
import type { Eventual } from '../core/eventual.ts'
import { letGo } from '../core/let-go.ts'
import { type Reply, wireForm } from '../core/reply.ts'
import { Ended } from '../session/ended.ts'
import type { Dialogue } from './dialogue.ts'
import { HandshakeLimit } from './handshake.ts'
import * as limits from './limits.ts'
import type { Line } from './line-reader.ts'
import { type Hearer, Parser } from './parser.ts'
import type { ServerParts } from './parts.ts'
import { tapOf } from './tap.ts'
import { Thrift } from './thrift.ts'

export type Server = ConstructorParameters<typeof SMTPConnection>[0]

export abstract class Wire extends SMTPConnection implements Hearer {
  protected readonly parts: ServerParts
  protected readonly deadline: Deadline
  protected readonly thrift: Thrift
  /** Another one when the client speaks for somebody else. */
  protected dialogue: Dialogue
  #handshake: HandshakeLimit | null = null

  constructor(server: Server, socket: Socket, dialogue: Dialogue, parts: ServerParts) {
    const { id, ip, port, local } = dialogue.session.client
    super(server, socket, {
      id,
      remoteAddress: ip.text,
      remotePort: port,
      localAddress: local.address,
      localPort: local.port,
    })
    this.parts = parts
    this.dialogue = dialogue
    const { clock, limits: own } = parts
    this.deadline = new Deadline(clock, own.idle_timeout, () => this.cutOff(limits.tooSlow))
    this.thrift = new Thrift(clock, () => tapOf(this._socket))
  }

  abstract line(line: Line, more: boolean, next: () => void): void

  /** The gate has waited already: greet at once, without the 100 ms timer of the package. */
  override init(): void {
    this._setClientHostname('')
    this._resetSession()
    this.session.secure = this.secure = this._socket instanceof TLSSocket
    if (this.secure) this.#hasRecords()
    this._setListeners(() => this.begin())
    this.turn()
  }

  /**
   * As that of the package, without a pipe: that has seven more listeners, for what Parser sees to
   * itself. After STARTTLS the package pipes all the same.
   */
  override _setListeners(callback: () => void): void {
    const socket = this._socket
    socket.on('close', () => this._onClose())
    socket.on('error', (error) => this._onError(error))
    socket.on('data', (chunk: Buffer) => {
      if (this._parser instanceof Parser) this._parser.write(chunk)
    })
    socket.resume()
    callback()
  }

  /** Our own deadlines are for whole commands, not for each byte. */
  override _armTimeout(): void {}

  /** The first words to a client, be it one that somebody speaks for. */
  protected begin(): void {
    if (this.secure) this.dialogue.secured()
    this.dialogue.session.leaving.listen(() => this.#ended())
    this._sendGreeting()
  }

  override _createParser(): Parser {
    // The constructor of the package comes here before ours has done anything.
    return new Parser(this._server.options.maxCommandLength ?? 0, this)
  }

  override _onClose(): void {
    const parser = this._parser
    if (parser instanceof Parser) parser.close()
    super._onClose()
    if (this._socket.closed) letGo(this._socket)
    this.#handshake?.stop()
    this.deadline.close()
    this.thrift.renew()
    this.dialogue.session.close()
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    super.send(code, data, context)
    this.#count(code)
  }

  override handler_STARTTLS(command: Buffer, callback: () => void): void {
    super.handler_STARTTLS(command, callback)
    const { tls } = this.parts
    if (!this._upgrading || tls === null) return
    upgrading.set(this.session, this)
    this.#handshake = new HandshakeLimit(this._socket, this.dialogue.session.client, tls)
  }

  override _onError(error: Error): void {
    this.#handshake?.failed(error)
    super._onError(error)
  }

  /** After STARTTLS. */
  secured(): void {
    this.#handshake?.stop()
    // From here on the package pipes, and takes its pipe off before the last word is heard.
    this._socket.on('data', () => this.spoke())
    this.#hasRecords()
    this.turn()
    this.dialogue.secured()
  }

  #hasRecords(): void {
    if (this._parser instanceof Parser) this._parser.hasRecords = true
  }

  turn(): void {
    this.deadline.start()
  }

  piece(count: number, records: number): void {
    this.thrift.read(count, records)
  }

  spoke(): void {
    this.dialogue.session.spoke()
  }

  /** The client keeps sending while it is to wait: more of it would hide its leaving. */
  full(): void {
    this._socket.pause()
    if (this._handlerPending) this.dialogue.session.end(limits.tooMuchInput)
  }

  drained(): void {
    this._socket.resume()
  }

  protected say(answer: Reply): void {
    // In a handshake this is still the bare socket, and what is said on it would be in its midst.
    if (!this._upgrading && this._socket.writable) this._socket.write(wireForm(answer))
    if (answer.code === 421) this.close()
    this.#count(answer.code)
  }

  /** Goes on once the client has read its replies. */
  protected whenRead(next: () => void): void {
    if (!this._socket.writableNeedDrain) return next()
    this.deadline.start()
    this._socket.once('drain', () => {
      this.deadline.stop()
      next()
    })
  }

  /** Says a reply, perhaps one that takes time. Whatever goes wrong, the client hears of it and nobody else does. */
  protected pending(answer: Eventual<Reply>, callback: () => void): void {
    if (answer instanceof Promise) return void this.#awaited(answer, callback)
    this.say(answer)
    callback()
  }

  async #awaited(answer: Promise<Reply>, callback: () => void): Promise<void> {
    this._handlerPending = true
    try {
      const said = await answer
      // It may have been ended meanwhile; a message under way is finished first.
      const { reason } = this.dialogue.session.leaving
      this.say(reason instanceof Ended ? reason.reply : said)
    } catch (error) {
      const last = this.dialogue.explain(error)
      if (last !== null) this.say(last)
    }
    this._handlerPending = false
    callback()
  }

  protected cutOff(last: Reply): void {
    this.dialogue.conduct.closed(last)
    this.#part(last)
  }

  /** We end the session: at once when no command is pending, else the command says so. */
  #ended(): void {
    const { reason } = this.dialogue.session.leaving
    if (reason instanceof Ended && !this._handlerPending) this.#part(reason.reply)
  }

  /** Says a last word. Who has not read what was said before will not read this, and is not waited for. */
  #part(last: Reply): void {
    if (this._socket.writableNeedDrain) this._socket.destroy()
    else this.say(last)
  }

  #count(code: number): void {
    const last = this.dialogue.conduct.answered(code)
    if (last !== null) this.cutOff(last)
  }
}

/** By the package's session object, who is in a handshake: all that it tells when that is done. */
export const upgrading = new WeakMap<object, Wire>()
