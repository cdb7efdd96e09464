/**
 * A mail server as data, over a real socket: `startBackend({ replies: (line) => ... })`.
 *
 * What a test does not say, it does well: it greets, takes EHLO, MAIL, RCPT and DATA, and answers
 * 250. It keeps what it was told, byte for byte. `heard` and `closed` wait for something to happen,
 * so no test has to sleep.
 */
import { createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { parseProxyHeader } from '../../src/gate/proxy-header.ts'

/**
 * How the back end answers: with text, whose last CR LF may be left out; with bytes exactly as
 * given; or with a misdeed. 'hang' says nothing at all, 'close' hangs up, 'reset' does so with an RST.
 */
export type Answer = string | Buffer | Misdeed

export type Misdeed =
  | 'hang'
  | 'close'
  | 'reset'
  /** Says this and hangs up. */
  | { readonly breaksOffAfter: string }
  /** Says this over and over, as fast as it is read. */
  | { readonly forever: string }

export interface BackendScript {
  readonly greeting?: Answer | (() => Answer)
  /** Keywords offered to EHLO; none: EHLO is answered with one line. */
  readonly ehlo?: readonly string[]
  /** Its certificate: it goes on under TLS when it has answered STARTTLS with 220. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Keywords offered to EHLO under TLS; those of `ehlo` unless given. */
  readonly ehloUnderTls?: readonly string[]
  /** The answer to a command, or to the final "."; undefined for the usual one. */
  replies?(line: string, connection: number): Answer | undefined
  /** Says nothing before a PROXY header, which is then the first line that it has received. */
  readonly awaitsProxy?: boolean
  /** Never reads anything after it has said 354. */
  readonly stopsReading?: boolean
  /** Where to listen; 127.0.0.1 unless given. */
  readonly host?: string
  readonly port?: number
}

export interface ScriptedBackend extends AsyncDisposable {
  /** "127.0.0.1:port", "[::1]:port". */
  readonly address: string
  readonly port: number
  /** How many connections there have been. */
  readonly connections: number
  /** How many there are now. */
  readonly open: number
  /** All command lines that were received, in order. */
  readonly transcript: readonly string[]
  /** The same for each connection. */
  readonly dialogues: readonly (readonly string[])[]
  /** The content of each DATA that came to its end, as it was on the wire, without the final dot line. */
  readonly messages: readonly Buffer[]
  /** What has come of a message whose end never came. */
  readonly unfinished: readonly Buffer[]
  /** Settles once a line that fits has been received, or been received already. */
  heard(pattern: RegExp): Promise<void>
  /** Settles once no connection is open. */
  closed(): Promise<void>
  /** Breaks all connections that are open; the next one is served again. */
  cut(): void
  /** Says something that nobody asked for on all open connections. */
  interject(bytes: string): void
}

const usualKeywords = ['PIPELINING', 'SIZE 52428800', '8BITMIME', 'SMTPUTF8', 'DSN']
const usualReplies: Readonly<Record<string, string>> = {
  HELO: '250 backend.example.net',
  MAIL: '250 2.1.0 Sender ok',
  RCPT: '250 2.1.5 Recipient ok',
  DATA: '354 Go ahead',
  RSET: '250 2.0.0 Reset',
  NOOP: '250 2.0.0 Ok',
  XCLIENT: '220 backend.example.net ESMTP',
  XFORWARD: '250 2.0.0 Ok',
  QUIT: '221 2.0.0 Bye',
  '.': '250 2.0.0 Queued',
}

export async function startBackend(script: BackendScript = {}): Promise<ScriptedBackend> {
  const seen = new Seen()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      seen.happened()
    })
    converse(socket, script, seen)
  })
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  const host = script.host ?? '127.0.0.1'
  server.listen(script.port ?? 0, host, resolve)
  await listening
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    port,
    get connections() {
      return seen.dialogues.length
    },
    get open() {
      return sockets.size
    },
    get transcript() {
      return seen.transcript
    },
    dialogues: seen.dialogues,
    messages: seen.messages,
    get unfinished() {
      return seen.unfinished()
    },
    heard: (pattern) => seen.until(() => seen.transcript.some((line) => pattern.test(line))),
    closed: () => seen.until(() => sockets.size === 0),
    cut() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    interject(bytes) {
      for (const socket of sockets) socket.write(bytes)
    },
    async [Symbol.asyncDispose]() {
      const { promise: closed, resolve: close } = Promise.withResolvers<void>()
      server.close(() => close())
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Everything that a back end has been told. */
class Seen {
  readonly transcript: string[] = []
  readonly dialogues: string[][] = []
  readonly messages: Buffer[] = []
  readonly underWay = new Set<() => Buffer | null>()
  readonly #waiting = new Set<() => void>()

  unfinished(): Buffer[] {
    return [...this.underWay].map((content) => content()).filter((content) => content !== null)
  }

  happened(): void {
    for (const look of this.#waiting) look()
  }

  until(condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (!condition()) return
      this.#waiting.delete(look)
      resolve()
    }
    this.#waiting.add(look)
    look()
    return promise
  }
}

function converse(accepted: Socket, script: BackendScript, seen: Seen): void {
  /** What is spoken on: another one under TLS. */
  let socket = accepted
  const dialogue: string[] = []
  const connection = seen.dialogues.push(dialogue)
  const keywords = () => {
    const underTls = socket instanceof TLSSocket ? script.ehloUnderTls : undefined
    return underTls ?? script.ehlo ?? usualKeywords
  }
  let pending: Buffer = Buffer.alloc(0)
  /** Content so far, after a line break that is not part of it; null while commands are read. */
  let content: Buffer[] | null = null
  seen.underWay.add(() => content && Buffer.concat([...content, pending]).subarray(2))

  const answerTo = (line: string): Answer => {
    const verb = line.split(' ')[0]?.toUpperCase() ?? ''
    const isEhlo = verb === 'EHLO' || verb === 'LHLO'
    if (verb === 'STARTTLS' && script.tls !== undefined) {
      return script.replies?.(line, connection) ?? '220 2.0.0 Go ahead'
    }
    const usual = isEhlo ? ehloReply(keywords()) : (usualReplies[verb] ?? '500 5.5.2 What?')
    return script.replies?.(line, connection) ?? usual
  }

  const command = (line: string) => {
    seen.transcript.push(line)
    dialogue.push(line)
    const answer = answerTo(line)
    if (/^DATA/i.test(line) && bytesOf(answer).toString('latin1', 0, 3) === '354') {
      content = []
      pending = Buffer.concat([Buffer.from('\r\n'), pending])
      if (script.stopsReading) socket.pause()
    }
    say(socket, answer)
    if (line === 'STARTTLS' && bytesOf(answer).toString('latin1', 0, 3) === '220') startTls()
    if (/^QUIT/i.test(line) && answer !== 'hang') socket.end()
    seen.happened()
  }

  const startTls = () => {
    if (script.tls === undefined) return
    const { certificate: cert, key } = script.tls
    socket.off('data', onData)
    pending = Buffer.alloc(0)
    socket = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext({ cert, key }),
    })
    socket.on('error', () => {})
    socket.on('data', onData)
  }

  const readLine = (): boolean => {
    // Who has hung up hears no more. (Node leaves a socket open for good that is reset after its end, 2026-11-28.)
    if (socket.writableEnded || socket.destroyed) return false
    const end = pending.indexOf('\r\n')
    if (end === -1) return false
    const line = pending.toString('utf8', 0, end)
    pending = pending.subarray(end + 2)
    command(line)
    return true
  }

  const readContent = (parts: Buffer[]): boolean => {
    const end = pending.indexOf('\r\n.\r\n')
    const upTo = end === -1 ? Math.max(0, pending.length - 4) : end + 2
    parts.push(pending.subarray(0, upTo))
    pending = pending.subarray(end === -1 ? upTo : end + 5)
    if (end === -1) return false
    const message = Buffer.concat(parts).subarray(2)
    content = null
    seen.messages.push(message)
    say(socket, answerTo('.'))
    seen.happened()
    return true
  }

  const greet = () => {
    const { greeting = '220 backend.example.net ESMTP' } = script
    say(socket, typeof greeting === 'function' ? greeting() : greeting)
  }

  const readProxy = (): boolean => {
    const header = parseProxyHeader(pending)
    if (header.kind !== 'header') return false
    pending = pending.subarray(header.length)
    awaitsProxy = false
    dialogue.push(`PROXY ${header.source?.ip.text} ${header.source?.port}`)
    seen.transcript.push(...dialogue)
    greet()
    return true
  }

  let awaitsProxy = script.awaitsProxy ?? false
  const onData = (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    if (awaitsProxy && !readProxy()) return
    while (content === null ? readLine() : readContent(content));
  }
  socket.on('data', onData)
  if (!awaitsProxy) greet()
}

function ehloReply(keywords: readonly string[]): string {
  const lines = ['backend.example.net', ...keywords]
  return lines
    .map((line, index) => `250${index < lines.length - 1 ? '-' : ' '}${line}\r\n`)
    .join('')
}

function say(socket: Socket, answer: Answer): void {
  if (answer === 'hang') return
  if (answer === 'close') socket.end()
  else if (answer === 'reset') socket.resetAndDestroy()
  else if (typeof answer === 'object' && 'breaksOffAfter' in answer) {
    socket.end(answer.breaksOffAfter)
  } else if (typeof answer === 'object' && 'forever' in answer) repeat(socket, answer.forever)
  else socket.write(bytesOf(answer))
}

/** The bytes of an answer that is no misdeed. */
function bytesOf(answer: Answer): Buffer {
  if (Buffer.isBuffer(answer)) return answer
  if (typeof answer !== 'string') return Buffer.alloc(0)
  return Buffer.from(answer.endsWith('\n') ? answer : `${answer}\r\n`)
}

function repeat(socket: Socket, line: string): void {
  const block = line.repeat(200)
  const go = () => {
    while (!socket.destroyed && socket.write(block));
    if (!socket.destroyed) socket.once('drain', go)
  }
  go()
}
