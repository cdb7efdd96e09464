/**
 * A client that speaks SMTP in real time and notes what it heard, word by word, and when.
 *
 * For what swaks and nodemailer do not tell: the exact lines of a reply, how long each took, and
 * whether the other side has hung up.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { connectAs, connectTo } from '../../helpers/proxied.ts'

export interface Heard {
  readonly code: number
  /** All lines with their codes, joined by "\n". */
  readonly text: string
  /** Since the client spoke last, or connected. */
  readonly tookMs: number
}

export class Talk implements Disposable {
  readonly #socket: Socket
  #unread = ''
  #spokeAt = performance.now()
  /** Settles when the connection is closed, by whomever. */
  readonly closed: Promise<void>
  #isClosed = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#unread += chunk.toString('latin1')
    })
    socket.on('error', () => {}) // "close" follows
    this.closed = once(socket, 'close').then(() => {
      this.#isClosed = true
      socket.emit('data', Buffer.alloc(0))
    })
  }

  /** @param from Whom a PROXY header names as the client; without it, ourselves. */
  static async to(address: string, from?: string): Promise<Talk> {
    return new Talk(await (from === undefined ? connectTo(address) : connectAs(address, from)))
  }

  /** What has been heard and not asked for yet. */
  get unread(): string {
    return this.#unread
  }

  /** Sends a line, or bytes as they are. */
  says(line: string | Buffer): void {
    this.#spokeAt = performance.now()
    this.#socket.write(typeof line === 'string' ? `${line}\r\n` : line)
  }

  /** Sends bytes in a segment of their own. Settles when they are on their way. */
  writes(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()))
  }

  /** The next reply. Throws when the connection is closed before it. */
  async hears(): Promise<Heard> {
    for (;;) {
      const [text] = /^(?:\d{3}-[^\n]*\r\n)*\d{3}(?: [^\n]*)?\r\n/.exec(this.#unread) ?? []
      if (text !== undefined) {
        this.#unread = this.#unread.slice(text.length)
        const lines = text.trimEnd().replaceAll('\r\n', '\n')
        const tookMs = performance.now() - this.#spokeAt
        return { code: Number(lines.slice(0, 3)), text: lines, tookMs }
      }
      assert.ok(!this.#isClosed, `hung up on, after "${this.#unread}"`)
      await once(this.#socket, 'data')
    }
  }

  async asks(line: string | Buffer): Promise<Heard> {
    this.says(line)
    return await this.hears()
  }

  /** Waits for the greeting and says EHLO. @returns The reply to that. */
  async opens(helo = 'mail.client.example'): Promise<Heard> {
    const greeting = await this.hears()
    assert.equal(greeting.code, 220, greeting.text)
    const answer = await this.asks(`EHLO ${helo}`)
    assert.equal(answer.code, 250, answer.text)
    return answer
  }

  /** MAIL, which must be agreed to, and one RCPT. @returns The reply to RCPT. */
  async gives(recipient: string, { sender = 'a@client.example' } = {}): Promise<Heard> {
    const answer = await this.asks(`MAIL FROM:<${sender}>`)
    assert.equal(answer.code, 250, answer.text)
    return await this.asks(`RCPT TO:<${recipient}>`)
  }

  /** DATA and a whole message, whose lines end in LF or CRLF. @returns The final reply. */
  async sends(message: string | Buffer): Promise<Heard> {
    const answer = await this.asks('DATA')
    assert.equal(answer.code, 354, answer.text)
    return await this.asks(stuffed(message))
  }

  /** QUIT, and until the connection is closed. */
  async quits(): Promise<void> {
    await this.asks('QUIT')
    await this.closed
  }

  /** Hangs up without a word. */
  leaves(): void {
    this.#socket.destroy()
  }

  [Symbol.dispose](): void {
    this.leaves()
  }
}

/** A message as it goes over the wire: CRLF, dots doubled, and its end. */
export function stuffed(message: string | Buffer): Buffer {
  const text = (typeof message === 'string' ? Buffer.from(message) : message).toString('latin1')
  const lines = text.replaceAll('\r\n', '\n').replace(/\n$/, '').split('\n')
  const dotted = lines.map((line) => (line.startsWith('.') ? `.${line}` : line))
  return Buffer.from(`${dotted.join('\r\n')}\r\n.\r\n`, 'latin1')
}
