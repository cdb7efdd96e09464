/**
 * One connection: each line of the client goes to the dialogue, and each reply goes out as it is.
 *
 * The package's callbacks are too coarse for a proxy (fixed success texts, HELO in lower case), so
 * its typed connection is subclassed.
 */
import type { Socket } from 'node:net'
import { type Eventual, eventually } from '../core/eventual.ts'
import type { Reply } from '../core/reply.ts'
import { decodeBytes, decodeUtf8 } from '../core/text.ts'
import { Content } from '../relay/content.ts'
import type { Command } from './conduct.ts'
import { ContentFeed } from './content-feed.ts'
import { Dialogue } from './dialogue.ts'
import { Discard } from './discard.ts'
import * as limits from './limits.ts'
import type { Line } from './line-reader.ts'
import { type Feed, Parser } from './parser.ts'
import type { ServerParts } from './parts.ts'
import { RestOfLine } from './rest-of-line.ts'
import { type Server, Wire } from './wire.ts'

export class Connection extends Wire {
  readonly #commands: ReadonlySet<string>
  /** The last message. */
  #feed: ContentFeed | null = null
  /** Whether the last DATA led to content. */
  #isReading = false

  /** @param commands Those that are obeyed here. */
  constructor(
    server: Server,
    socket: Socket,
    dialogue: Dialogue,
    parts: ServerParts,
    commands: ReadonlySet<string>,
  ) {
    super(server, socket, dialogue, parts)
    this.#commands = commands
  }

  override _onClose(): void {
    super._onClose()
    this.#feed?.close()
  }

  override line(line: Line, more: boolean, next: () => void): void {
    if (line.kind === 'too-long' && this.dialogue.isOfLogin(line.begins)) return this.#skip(next)
    this.deadline.stop()
    if (this._upgrading) return next()
    const goOn = () => this.whenRead(next)
    if (this.dialogue.isLoggingIn && line.kind === 'line') {
      const answer = this.dialogue.proceed(line.bytes.toString('latin1'))
      return this.pending(answer, goOn)
    }
    const verdict = this.dialogue.conduct.judge(line, more, this.#commands)
    if (verdict.kind === 'close') return this.cutOff(verdict.last)
    if (verdict.kind === 'obey') return this.#obey(verdict, goOn)
    this.say(verdict.answer)
    if (verdict.skip > 0) this.#discard(verdict.skip, next)
    else goOn()
  }

  /** Whatever goes wrong, the client hears of it and nobody else does. */
  #obey({ verb, line }: Command, goOn: () => void): void {
    try {
      const answer = this.#answer(verb, line, goOn)
      if (answer !== null) this.pending(answer, goOn)
    } catch (error) {
      const last = this.dialogue.explain(error)
      if (last !== null) this.cutOff(last)
    }
  }

  /** @returns null where going on is seen to as well. */
  #answer(verb: string, line: Buffer, goOn: () => void): Eventual<Reply> | null {
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return this.dialogue.hello(verb, decodeBytes(line))
      case 'MAIL':
        return this.dialogue.mail(decodeUtf8(line))
      case 'RCPT':
        return this.dialogue.recipient(decodeUtf8(line))
      case 'DATA':
        this.pending(this.#openData(line), () => this.#dataAnswered(goOn))
        return null
      case 'RSET':
        return this.dialogue.reset()
      case 'NOOP':
        return this.dialogue.nothing()
      case 'QUIT':
        this.say(limits.bye)
        this.close()
        return null
      case 'AUTH':
        return this.dialogue.login(line.toString('latin1'))
      case 'XCLIENT':
        return this.#introduced(line, goOn)
      default:
        this.#startTls(line, goOn)
        return null
    }
  }

  /**
   * Were content that has come before it was asked for read as commands, when DATA is refused, whoever
   * wrote the message would give them.
   */
  #dataAnswered(goOn: () => void): void {
    const hasMore = this._parser instanceof Parser && this._parser.hasMore
    if (this.#isReading || !hasMore) goOn()
    else this.cutOff(limits.outOfStep)
  }

  /** From here on it is the client that the peer speaks for, which must say HELO itself. */
  #introduced(command: Buffer, goOn: () => void): Reply | null {
    const next = this.dialogue.introduces(decodeBytes(command))
    if (!(next instanceof Dialogue)) return next
    this.dialogue = next
    this.begin()
    goOn()
    return null
  }

  #startTls(line: Buffer, goOn: () => void): void {
    this._handlerPending = true
    this.handler_STARTTLS(line, () => {
      this._handlerPending = false
      goOn()
    })
  }

  #discard(count: number, next: () => void): void {
    this.#read(new Discard(count))
    this.whenRead(() => {
      this.deadline.start()
      next()
    })
  }

  /** A line of AUTH is too long: it is answered when it has ended, which it must in time. */
  #skip(next: () => void): void {
    this.deadline.start()
    const rest = new RestOfLine(limits.loginExcessMax, (hasEnded, resume) => {
      this.deadline.stop()
      if (!hasEnded) return this.cutOff(limits.lineTooLong)
      this.say(this.dialogue.loginTooLong())
      this.whenRead(resume)
    })
    this.#read(rest)
    next()
  }

  #openData(command: Buffer): Eventual<Reply> {
    this.#isReading = false
    return eventually(this.dialogue.data(decodeBytes(command)), (opened) => this.#opened(opened))
  }

  #opened(opened: Content | Reply): Reply {
    if (!(opened instanceof Content)) return opened
    const { ip } = this.dialogue.session.client
    this.#feed = new ContentFeed(opened, ip, this.parts, {
      ended: (resume) => {
        this.thrift.renew()
        this.pending(this.dialogue.finish(opened), resume)
      },
      tooSlow: () => {
        opened.refuse(limits.contentTooSlow)
        this.cutOff(limits.contentTooSlow)
      },
      silence: this.deadline,
    })
    this.#read(this.#feed)
    this.#isReading = true
    return limits.goAhead
  }

  /** From now on what comes is content. */
  #read(feed: Feed): void {
    if (this._parser instanceof Parser) this._parser.feed = feed
  }
}
