/**
 * A small, quick SMTP client for measuring: one object per session, no queue, no retries. Every command
 * waits for its reply (no pipelining), as a lock-step proxy would see from a plain client.
 */
import { connect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'

export interface Endpoint {
  host: string
  port: number
}

export function endpoint(text: string): Endpoint {
  const at = text.lastIndexOf(':')
  const host = text.slice(0, at)
  const port = Number(text.slice(at + 1))
  if (at < 1 || !Number.isInteger(port)) throw new Error(`not host:port: ${text}`)
  return { host, port }
}

export interface Session {
  target: Endpoint
  localAddress?: string
  helo: string
  from: string
  rcpts: string[]
  /** Whole messages as they go over the wire: dot-stuffed, ending in CRLF . CRLF */
  body: Buffer
  messages: number
  starttls: boolean
  timeoutMs: number
}

/** Milliseconds from the start of the session to each reply, first message only for the transaction. */
export interface Timings {
  banner: number
  helo: number
  mail: number
  rcpt: number
  data: number
  eod: number
  total: number
  /** One entry for each message: MAIL sent to end-of-data reply received. */
  transactions: number[]
}

export class SmtpError extends Error {}

/** Finds the code of the last complete reply in what was read so far, or 0 if it is not complete. */
function replyCode(text: string): number {
  if (!text.endsWith('\n')) return 0
  const start = text.lastIndexOf('\n', text.length - 2) + 1
  // the last line is the final one of a reply when a space (or nothing) follows the code
  if (text.charCodeAt(start + 3) === 0x2d) return 0
  return Number(text.slice(start, start + 3)) || 0
}

export function runSession(s: Session): Promise<Timings> {
  return new Promise((resolve, reject) => {
    const t0 = performance.now()
    const t: Timings = {
      banner: 0,
      helo: 0,
      mail: 0,
      rcpt: 0,
      data: 0,
      eod: 0,
      total: 0,
      transactions: [],
    }
    let input = ''
    let socket: Socket = connect({
      host: s.target.host,
      port: s.target.port,
      localAddress: s.localAddress,
      noDelay: true,
    })
    let settled = false
    let awaiting: (code: number) => void
    let rcpt = 0
    let sent = 0
    let txStart = 0
    const timer = setTimeout(() => fail('timeout'), s.timeoutMs)

    const fail = (why: string): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      socket.destroy()
      reject(new SmtpError(why))
    }
    const succeed = (): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      t.total = performance.now() - t0
      socket.destroy()
      resolve(t)
    }
    const say = (line: string, expect: number, stage: string, next: () => void): void => {
      awaiting = (code) => {
        if (code !== expect) return fail(`${stage}: ${input.trim() || code}`)
        next()
      }
      socket.write(line, 'latin1')
    }
    const onData = (chunk: Buffer): void => {
      input += chunk.toString('latin1')
      const code = replyCode(input)
      if (code === 0) return
      const f = awaiting
      f(code)
      input = ''
    }
    const listen = (): void => {
      socket.on('data', onData)
      socket.on('error', (e) => fail(e.message))
      socket.on('close', () => fail('closed'))
    }

    const helo = (): void =>
      say(`EHLO ${s.helo}\r\n`, 250, 'EHLO', () => {
        t.helo ||= performance.now() - t0
        if (s.starttls && !('encrypted' in socket)) {
          say('STARTTLS\r\n', 220, 'STARTTLS', () => {
            const raw = socket
            raw.removeAllListeners()
            socket = tlsConnect({ socket: raw, rejectUnauthorized: false })
            listen()
            socket.once('secureConnect', helo)
          })
        } else mail()
      })
    const mail = (): void => {
      txStart = performance.now()
      say(`MAIL FROM:<${s.from}>\r\n`, 250, 'MAIL', () => {
        t.mail ||= performance.now() - t0
        rcpt = 0
        nextRcpt()
      })
    }
    const nextRcpt = (): void =>
      say(`RCPT TO:<${s.rcpts[rcpt]}>\r\n`, 250, 'RCPT', () => {
        if (++rcpt < s.rcpts.length) return nextRcpt()
        t.rcpt ||= performance.now() - t0
        data()
      })
    const data = (): void =>
      say('DATA\r\n', 354, 'DATA', () => {
        t.data ||= performance.now() - t0
        awaiting = (code) => {
          if (code !== 250) return fail(`end of data: ${input.trim()}`)
          const now = performance.now()
          t.eod ||= now - t0
          t.transactions.push(now - txStart)
          if (++sent < s.messages) mail()
          else say('QUIT\r\n', 221, 'QUIT', succeed)
        }
        socket.write(s.body)
      })

    awaiting = (code) => {
      if (code !== 220) return fail(`banner: ${input.trim()}`)
      t.banner = performance.now() - t0
      helo()
    }
    listen()
  })
}

export type Shape = 'text' | 'dots' | 'dotlines' | 'longline'

/**
 * A message of about `size` bytes on the wire (headers included), ready to send.
 *   text      78-character lines
 *   dots      every line is `..` + CRLF (a lone dot, stuffed): the shortest legal stuffed lines
 *   dotlines  78-character lines each starting with a stuffed dot
 *   longline  lines of 998 characters
 */
export function message(size: number, shape: Shape): Buffer {
  const head =
    'From: <bench@example.org>\r\nTo: <rcpt@example.org>\r\nSubject: bench\r\n' +
    'Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-ID: <bench@example.org>\r\n\r\n'
  const lines: Record<Shape, string> = {
    text: `${'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(3).slice(0, 76)}\r\n`,
    dots: '..\r\n',
    dotlines: `..${'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(3).slice(0, 74)}\r\n`,
    longline: `${'x'.repeat(998)}\r\n`,
  }
  const line = lines[shape]
  const n = Math.max(1, Math.floor((size - head.length - 3) / line.length))
  return Buffer.from(`${head + line.repeat(n)}.\r\n`, 'latin1')
}
