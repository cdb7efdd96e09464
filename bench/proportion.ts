/**
 * `npm run proportion [-- NAME...]`: what a megabyte costs Treacle, in CPU time of its own process, for
 * plain mail and for the worst that a client can send instead. Prints a table; docs/proportion.md keeps
 * one.
 *
 * Each shape goes through a real Treacle to a real sink, several times in turn with all others; the
 * best round counts, since whatever else runs on the machine only ever adds.
 */
import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { cpuSeconds } from './lib/proc.ts'
import { type Server, startTool, startTreacle } from './rig.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' } },
})

interface Shape {
  readonly name: string
  /** What is said after EHLO, each line waited for unless it is said in one go. */
  readonly commands: readonly string[]
  /** What follows 354; null: there is no message. */
  readonly content: Buffer | null
  /** How many bytes at a time; all at once unless given. */
  readonly pieces?: number
  /** How often, on a connection each. */
  readonly times: number
  readonly normalizing?: boolean
  /** The reply at the end. */
  readonly end: RegExp
  /** What it is compared with: plain mail of the same size. */
  readonly beside: string
}

const mega = 1_000_000
const text = 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(3)
const head = 'From: <a@example.org>\r\nTo: <b@example.org>\r\nSubject: x\r\n'
const envelope = ['MAIL FROM:<a@example.org>', 'RCPT TO:<rcpt0@example.org>', 'DATA']

/** @returns A body of so many bytes, one line again and again. */
function lines(line: string, bytes = 5 * mega): Buffer {
  return message('', line.repeat(bytes / line.length))
}

function message(header: string, body: string): Buffer {
  return Buffer.from(`${head}${header}\r\n${body}\r\n.\r\n`, 'latin1')
}

function mail(name: string, content: Buffer, more: Partial<Shape> = {}): Shape {
  return { name, commands: envelope, content, times: 6, end: /^250 /, beside: plain, ...more }
}

const plain = 'plain mail of 5 MB'
const small = 'plain mail of 4 kB, a connection each'
const recipients = Array.from({ length: 1_000 }, (_, at) => `RCPT TO:<rcpt${at}@example.org>`)
const toMany = [...envelope.slice(0, 1), ...recipients, ...envelope.slice(-1)]
const plainLine = `${text.slice(0, 76)}\r\n`
const shapes: readonly Shape[] = [
  mail(plain, lines(plainLine)),
  mail('every line begins with a dot', lines(`..${text.slice(0, 74)}\r\n`)),
  mail('lines that are only a dot', lines('..\r\n')),
  mail('empty lines', lines('\r\n')),
  mail('lines of one letter', lines('a\r\n')),
  mail('a line without end', lines('x')),
  mail('tabs', lines('\t')),
  mail('bare LF (refused)', lines('\n'), { end: /^550 5\.5\.2/ }),
  mail('bare CR (refused)', lines('\r'), { end: /^550 5\.5\.2/ }),
  mail('NUL (refused)', lines('\0'), { end: /^550 5\.6\.0/ }),
  mail('LF for CR LF (normalized)', lines(`${text.slice(0, 77)}\n`), { normalizing: true }),
  mail('bare LF (normalized)', lines('\n'), { normalizing: true }),
  mail('bare CR (normalized)', lines('\r'), { normalizing: true }),
  mail('dots between bare LF (normalized)', lines('\n.'), { normalizing: true }),
  mail(
    '10,000 header lines',
    message(`X-Some-Header: ${text.slice(0, 85)}\r\n`.repeat(10_000), plainLine.repeat(50_000)),
  ),
  mail('header lines of one letter', message('a:\r\n'.repeat(mega), ''), { times: 6 }),
  mail('forged header lines', message('x-treacle-a:\r\n'.repeat(mega / 4), '')),
  mail('Received again and again (refused)', message('Received:\r\n'.repeat(mega / 4), ''), {
    end: /^554 5\.4\.6/,
  }),
  mail('segments of one byte', lines(plainLine, mega / 4), { pieces: 1, times: 1 }),
  mail('1,000 recipients of 5 MB', lines(plainLine), { commands: toMany, times: 2 }),
  mail('NOOP again and again (closed)', Buffer.from('NOOP\r\n'.repeat(mega / 6)), {
    commands: [],
    end: /^421 /,
    times: 20,
  }),
  mail(small, lines(plainLine, 4_000), { times: 200, beside: small }),
  mail('1,000 recipients of 4 kB', lines(plainLine, 4_000), {
    commands: toMany,
    times: 5,
    beside: small,
  }),
  mail('segments of 64 bytes', lines(plainLine, 2 * mega), { pieces: 64, times: 1 }),
]

/** One session. @returns How many bytes were sent. */
async function send(port: number, shape: Shape): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const replies = repliesOf(socket)
  let byteCount = 0
  const say = async (bytes: Buffer) => {
    byteCount += bytes.length
    socket.write(bytes)
    return (await replies.next()).value
  }
  await replies.next()
  for (const line of ['EHLO mail.example.org', ...shape.commands]) {
    await say(Buffer.from(`${line}\r\n`))
  }
  if (shape.content !== null) {
    byteCount += shape.content.length
    await write(socket, shape.content, shape.pieces ?? shape.content.length)
    await ends(shape, replies)
  }
  socket.destroy()
  return byteCount
}

/** With the right reply; NOOPs are answered until it comes. */
async function ends({ name, end }: Shape, replies: AsyncGenerator<string>): Promise<void> {
  for await (const reply of replies) {
    if (end.test(reply)) return
    if (!reply.startsWith('250 2.0.0')) throw new Error(`${name}: ${reply}`)
  }
}

async function write(socket: Socket, content: Buffer, size: number): Promise<void> {
  for (let at = 0; at < content.length; at += size) {
    if (socket.destroyed) throw new Error(`closed after ${at} bytes`)
    if (socket.write(content.subarray(at, at + size))) continue
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('drain', resolve).once('close', resolve)
    await promise
    socket.off('drain', resolve).off('close', resolve)
  }
}

async function* repliesOf(socket: Socket): AsyncGenerator<string, undefined> {
  let heard = ''
  for await (const chunk of socket) {
    heard += chunk
    for (let found = whole.exec(heard); found !== null; found = whole.exec(heard)) {
      heard = heard.slice(found[0].length)
      yield found[0]
    }
  }
}

const whole = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/

/** @returns CPU milliseconds for each megabyte. */
async function cost(server: Server, shape: Shape): Promise<number> {
  const used = () => cpuSeconds([server.pid], server.cgroup ?? undefined)
  const before = used()
  let byteCount = 0
  for (let count = 0; count < shape.times; count += 1) byteCount += await send(server.port, shape)
  return ((used() - before) * 1_000) / (byteCount / mega)
}

const isWanted = ({ name, beside }: Shape): boolean =>
  name === beside || positionals.length === 0 || positionals.some((part) => name.includes(part))

async function main(): Promise<void> {
  const wanted = shapes.filter(isWanted)
  await using dns = await startTool('names', (port) => ['127.0.0.1', String(port)])
  await using sink = await startTool('sink', (port) => ['--listen', `127.0.0.1:${port}`])
  const setup = { sink: sink.port, dns: dns.port, pauses: false }
  await using strict = await startTreacle(setup)
  await using normalizing = await startTreacle({
    ...setup,
    config: 'data.bare_newline = "normalize"',
  })
  const best = new Map<string, number>()
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    for (const shape of wanted) {
      const each = await cost(shape.normalizing === true ? normalizing : strict, shape)
      // The first round is for the compiler.
      if (round > 0) best.set(shape.name, Math.min(each, best.get(shape.name) ?? each))
    }
  }
  console.log(table(wanted, best))
}

function table(shown: readonly Shape[], best: ReadonlyMap<string, number>): string {
  const rows = shown.map(({ name, beside }) => {
    const own = best.get(name) ?? Number.NaN
    const ratio = own / (best.get(beside) ?? Number.NaN)
    return `| ${name} | ${own.toFixed(2)} | ${ratio.toFixed(1)}x |`
  })
  return ['| what is sent | CPU ms / MB | beside plain mail |', '|---|---:|---:|', ...rows].join(
    '\n',
  )
}

await main()
