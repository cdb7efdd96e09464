/**
 * `treacle send`: sends one small message and prints the dialogue, with the time that each reply
 * took. For trying out a configuration as a client of any kind.
 */
import { connect, type Socket } from 'node:net'
import type { Clock, Instant } from '../core/clock.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { messageOf } from '../core/errors.ts'
import { visible } from '../core/text.ts'
import { ReplyReader } from '../relay/reply-reader.ts'

export interface Sending {
  readonly to: Endpoint
  readonly helo: string
  readonly from: string
  readonly rcpt: string
}

/** @returns true when the message was accepted. */
export async function sendOne(
  sending: Sending,
  clock: Clock,
  print: (line: string) => void,
): Promise<boolean> {
  const socket = connect(sending.to)
  try {
    return await speak(new Replies(socket), socket, sending, clock, print)
  } catch (error) {
    print(`   ${messageOf(error)}`)
    return false
  } finally {
    socket.destroy()
  }
}

async function speak(
  replies: Replies,
  socket: Socket,
  { helo, from, rcpt }: Sending,
  clock: Clock,
  print: (line: string) => void,
): Promise<boolean> {
  const hear = async (askedAt: Instant): Promise<number> => {
    const { code, lines } = await replies.next()
    const seconds = ((clock.now() - askedAt) / 1_000).toFixed(1).padStart(6)
    for (const line of lines) print(`${seconds}s  <- ${code} ${visible(line)}`)
    return code
  }
  if ((await hear(clock.now())) !== 220) return false
  const message = `From: <${from}>\r\nTo: <${rcpt}>\r\nSubject: Sent through Treacle\r\n\r\nHello.\r\n.`
  const commands = [`EHLO ${helo}`, `MAIL FROM:<${from}>`, `RCPT TO:<${rcpt}>`, 'DATA', message]
  for (const command of commands) {
    print(`         -> ${command === message ? '(a small message)' : command}`)
    const askedAt = clock.now()
    socket.write(`${command}\r\n`)
    if ((await hear(askedAt)) >= 400) return false
  }
  socket.write('QUIT\r\n')
  return true
}

/** The replies of the server, one at a time. */
class Replies {
  readonly #reader = new ReplyReader()
  readonly #heard: { readonly code: number; readonly lines: readonly string[] }[] = []
  #wake: () => void = () => {}
  #ended: Error | null = null

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#reader.push(chunk, ({ code, enhanced, lines }) => {
          this.#heard.push({ code, lines: lines.map((line) => `${enhanced} ${line}`.trim()) })
        })
      } catch (error) {
        this.#end(new Error(messageOf(error)))
      }
      this.#wake()
    })
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('the server has closed the connection')))
  }

  async next(): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
    for (;;) {
      const heard = this.#heard.shift()
      if (heard !== undefined) return heard
      if (this.#ended !== null) throw this.#ended
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
  }

  #end(error: Error): void {
    this.#ended ??= error
    this.#wake()
  }
}
