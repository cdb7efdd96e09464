/**
 * One conversation with the back end, in lock-step: a command and its reply, or several that belong
 * together and their replies, where it takes them so (RFC 2920).
 *
 * It knows the protocol and nothing of clients, reasons or delays. Whatever goes wrong with the
 * connection ends it with BackendLost; a reply is always the back end's own.
 */
import type { Socket } from 'node:net'
import type { Clock, Ms } from '../core/clock.ts'
import { Deadline } from '../core/deadline.ts'
import { messageOf } from '../core/errors.ts'
import { letGo } from '../core/let-go.ts'
import { type Reply, replyText } from '../core/reply.ts'
import { type Capabilities, noCapabilities, parseCapabilities } from './capabilities.ts'
import type { Dialled } from './dial.ts'
import { Draining } from './draining.ts'
import { BackendLost } from './failures.ts'
import { type As, all, first, OwedReplies, type ReplyLimits } from './owed-replies.ts'
import { ProtocolError, ReplyReader } from './reply-reader.ts'

/** LHLO is the EHLO of LMTP (RFC 2033). */
export type Greeting = 'EHLO' | 'HELO' | 'LHLO'

type GoesOn = (reply: Reply, index: number) => boolean

/** What is smaller than this waits for what is written with it. */
const packetMax = 16 * 1_024

export class Conversation {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #reader = new ReplyReader()
  readonly #verified: boolean
  /** True when the back end was told nothing about the client, and has refused no message of his. */
  mayServeOthers = false
  /** How many messages the back end has taken. */
  takenCount = 0
  readonly secure: boolean
  /** Whether what came under TLS may be said in it: it is under TLS, or nobody else can listen. */
  isPrivate = false
  /** True when the back end may trust our address and does not know for whom we speak. */
  mayRelayForUs = false
  #capabilities: Capabilities
  /** Replies that came before they were asked for: an early refusal in the middle of DATA. */
  readonly #early: Reply[] = []
  #owed: Pick<OwedReplies<unknown>, 'take' | 'fail'> | null = null
  /** For the next of them. */
  readonly #deadline: Deadline
  #limitMs: Ms = 0
  #lost: BackendLost | null = null
  readonly #draining: Draining

  constructor({ socket, capabilities, secure, verified, release }: Dialled, clock: Clock) {
    this.#socket = socket
    this.secure = secure
    this.#verified = verified
    this.#clock = clock
    this.#capabilities = capabilities
    this.#deadline = new Deadline(clock, 0, (ms) => this.#lose(`no reply for ${ms} ms`))
    this.#draining = new Draining(socket, clock, (ms) => this.#lose(`read nothing for ${ms} ms`))
    socket.on('data', (chunk: Buffer) => this.#hear(chunk))
    socket.on('end', () => this.#lose('closed the connection'))
    socket.on('close', () => this.#lose('closed the connection'))
    socket.on('close', () => letGo(socket))
    socket.on('error', (error) => this.#lose(messageOf(error)))
    release()
    socket.resume()
  }

  /** What the last EHLO reply offered. */
  get capabilities(): Capabilities {
    return this.#capabilities
  }

  /** True while a reply is owed. */
  get busy(): boolean {
    return this.#owed !== null
  }

  /** True when nothing can be said any more: it is gone, or has said something that nobody asked for. */
  get lost(): boolean {
    return this.#lost !== null || this.#early.length > 0
  }

  /**
   * Says one line and waits for its reply.
   *
   * @throws BackendLost when no reply comes within `limitMs` or the connection fails.
   */
  say(line: string, limitMs: Ms): Promise<Reply> {
    return this.#ask([line], { firstMs: limitMs, limitMs }, first)
  }

  /**
   * Says several lines, the last of which makes sense only after the others, and waits for their
   * replies: in one go where the back end takes that, else one after the other.
   *
   * @param goesOn Whether the next line is to be said after this reply, where it still can be kept back.
   * @returns The replies there were: to the first lines, or to all. After a 421 there are no more.
   * @throws BackendLost when one does not come in time or the connection fails.
   */
  sayAll(lines: readonly string[], limits: ReplyLimits, goesOn: GoesOn): Promise<readonly Reply[]> {
    const isMore = lines.length > 1
    const atOnce = isMore ? this.#capabilities.has('PIPELINING') : lines.length === 1
    return atOnce ? this.#ask(lines, limits, all) : this.#sayEach(lines, limits, goesOn)
  }

  async #sayEach(lines: readonly string[], limits: ReplyLimits, goesOn: GoesOn): Promise<Reply[]> {
    const heard: Reply[] = []
    for (const [index, line] of lines.entries()) {
      const answer = await this.say(line, index === 0 ? limits.firstMs : limits.limitMs)
      heard.push(answer)
      if (!goesOn(answer, index)) break
    }
    return heard
  }

  #ask<T>(lines: readonly string[], limits: ReplyLimits, as: As<T>): Promise<T> {
    // Whoever composes a command checks what strangers put in it; this is the last gate.
    if (lines.some((line) => /[\r\n\0]/.test(line))) {
      return Promise.reject(new TypeError('a command is one line'))
    }
    // A reply nobody asked for answers nothing: the two sides no longer agree where they are.
    if (this.#early.length > 0) this.#lose('replied without being asked')
    if (this.#lost !== null) return Promise.reject(this.#lost)
    this.#socket.write(`${lines.join('\r\n')}\r\n`)
    return this.#replies(lines.length, limits, as)
  }

  /** Says EHLO, HELO or LHLO again, after the back end has been told who the client is. */
  async greet(verb: Greeting, name: string, limitMs: Ms): Promise<Reply> {
    const answer = await this.say(`${verb} ${name}`, limitMs)
    if (answer.code === 250) {
      this.#capabilities =
        verb === 'HELO' ? noCapabilities : parseCapabilities(answer.lines.slice(1), this.#verified)
    }
    return answer
  }

  /** Waits for a reply to what has been said already. */
  nextReply(limitMs: Ms): Promise<Reply> {
    const early = this.#early.shift()
    if (early !== undefined) return Promise.resolve(early)
    return this.#replies(1, { firstMs: limitMs, limitMs }, first)
  }

  #replies<T>(count: number, limits: ReplyLimits, as: As<T>): Promise<T> {
    if (this.#lost !== null) return Promise.reject(this.#lost)
    const owed = new OwedReplies(count, as)
    this.#owed = owed
    this.#limitMs = limits.limitMs
    this.#deadline.start(limits.firstMs)
    return owed.heard
  }

  /**
   * Passes on bytes of content as they are.
   *
   * @returns Nothing when more can be written at once, else a promise for when the back end has read.
   */
  write(bytes: Buffer, limitMs: Ms): Promise<void> | undefined {
    if (this.#lost !== null) return undefined
    if (bytes.length < packetMax) this.#gather()
    if (this.#socket.write(bytes)) return undefined
    return this.#draining.over(limitMs)
  }

  /** Whether the kernel has all that was written. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0
  }

  /** What is written in one go leaves in one packet. */
  #gather(): void {
    if (this.#socket.writableCorked > 0) return
    this.#socket.cork()
    process.nextTick(() => this.#socket.uncork())
  }

  /** True when the back end has already answered what is still being sent. */
  get answeredEarly(): boolean {
    return this.#early.length > 0
  }

  /** Ends politely; whatever is still under way there is given up. */
  quit(): void {
    if (this.#lost !== null) return
    this.#end(saidQuit)
    this.#socket.removeAllListeners('data')
    this.#socket.end('QUIT\r\n')
    this.#socket.resume()
    const stopTimer = this.#clock.after(5_000, () => this.#socket.destroy())
    this.#socket.once('close', stopTimer)
  }

  /** Breaks off at once. In the middle of DATA this is how a message is not sent (RFC 5321 section 4.1.1.4). */
  destroy(): void {
    this.#lose('we broke off')
  }

  #hear(chunk: Buffer): void {
    try {
      this.#reader.push(chunk, (heard) => this.#take(heard))
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#lose(error.message)
    }
  }

  #take(heard: Reply): void {
    const owed = this.#owed
    if (owed !== null) {
      this.#deadline.stop()
      if (owed.take(heard)) this.#owed = null
      else this.#deadline.start(this.#limitMs)
    } else if (this.#early.length < 4) {
      this.#early.push(heard)
    } else {
      this.#lose(`replied without being asked: ${replyText(heard)}`)
    }
  }

  #lose(why: string): BackendLost {
    if (this.#lost !== null) return this.#lost
    this.#socket.destroy()
    return this.#end(new BackendLost(`back end ${why}`))
  }

  /** Whoever waits for something from the back end waits no longer. */
  #end(lost: BackendLost): BackendLost {
    this.#lost = lost
    this.#deadline.close()
    const owed = this.#owed
    this.#owed = null
    owed?.fail(lost)
    this.#draining.stop()
    return lost
  }
}

/** One for all: an error keeps who was at work when it was made. */
const saidQuit = new BackendLost('we said QUIT')
