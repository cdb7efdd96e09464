/**
 * One connection: each line of the client goes to the dialogue, and each reply goes out as it is.
 *
 * The package's callbacks are too coarse for a proxy (fixed success texts, HELO in lower case), so
 * its typed connection is subclassed.
 */
import type { Hello } from '../core/client.ts'
import type { Reply } from '../core/reply.ts'
import { decodeBytes } from '../core/text.ts'
import { Content } from '../relay/content.ts'
import { ContentFeed } from './content-feed.ts'
import { Dialogue } from './dialogue.ts'
import { Discard } from './discard.ts'
import * as limits from './limits.ts'
import type { Line } from './line-reader.ts'
import { type Feed, Parser } from './parser.ts'
import { RestOfLine } from './rest-of-line.ts'
import { Wire } from './wire.ts'

export class Connection extends Wire {
  /** The last message. */
  #feed: ContentFeed | null = null
  /** Whether the last DATA led to content. */
  #isReading = false

  override _onClose(): void {
    super._onClose()
    this.#feed?.close()
  }

  override line(line: Line, more: boolean, next: () => void): void {
    if (line.kind === 'too-long' && this.dialogue.isOfLogin(line.begins)) return this.#skip(next)
    this.deadline.stop()
    if (this._upgrading) return next()
    if (this.dialogue.isLoggingIn && line.kind === 'line') {
      const answer = this.dialogue.proceed(line.bytes.toString('latin1'))
      return void this.pending(answer, () => this._whenWritable(next))
    }
    const verdict = this.dialogue.conduct.judge(line, more, (verb) => this._isSupported(verb))
    if (verdict.kind === 'obey') this._onCommand(verdict.command, next)
    else if (verdict.kind === 'close') this.cutOff(verdict.last)
    else {
      if (verdict.skip > 0) {
        this.deadline.start()
        this.#read(new Discard(verdict.skip))
      }
      this.say(verdict.answer, () => this._whenWritable(next))
    }
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#greet('EHLO', command, callback)
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.#greet('HELO', command, callback)
  }

  override handler_AUTH(command: Buffer, callback: () => void): void {
    void this.pending(this.dialogue.login(command.toString('latin1')), callback)
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    this.say(this.dialogue.mail(decodeBytes(command)), callback)
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    void this.pending(this.dialogue.recipient(decodeBytes(command)), callback)
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    void this.pending(this.#openData(command), () => {
      const last = this.#isReading ? null : this.dialogue.conduct.refusedData()
      if (last === null) callback()
      else this.cutOff(last)
    })
  }

  override handler_RSET(_command: Buffer, callback: () => void): void {
    this.say(this.dialogue.reset(), callback)
  }

  /** From here on it is the client that the peer speaks for, which must say HELO itself. */
  override handler_XCLIENT(command: Buffer, callback: () => void): void {
    const next = this.dialogue.introduces(decodeBytes(command))
    if (!(next instanceof Dialogue)) return this.say(next, callback)
    this.dialogue = next
    this.hostNameAppearsAs = false
    this.begin()
    callback()
  }

  #greet(verb: Hello['verb'], command: Buffer, callback: () => void): void {
    const { answer, name } = this.dialogue.hello(verb, decodeBytes(command))
    if (name !== null) this.hostNameAppearsAs = name
    this.say(answer, callback)
  }

  /** A line of AUTH is too long: it is answered when it has ended, which it must in time. */
  #skip(next: () => void): void {
    this.deadline.start()
    const rest = new RestOfLine(limits.loginExcessMax, (hasEnded, resume) => {
      this.deadline.stop()
      if (hasEnded) this.say(this.dialogue.loginTooLong(), () => this._whenWritable(resume))
      else this.cutOff(limits.lineTooLong)
    })
    this.#read(rest)
    next()
  }

  async #openData(command: Buffer): Promise<Reply> {
    this.#isReading = false
    const opened = await this.dialogue.data(decodeBytes(command))
    if (!(opened instanceof Content)) return opened
    const { ip } = this.dialogue.session.client
    this.#feed = new ContentFeed(opened, ip, this.parts, (resume) => {
      this.thrift.renew()
      void this.pending(this.dialogue.finish(opened), resume)
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
