/**
 * `npm run proportion [-- NAME...] [--rounds N] [--tiny]`: what a megabyte costs Treacle, in CPU time of its own
 * process, for plain mail and for the worst that a client can send instead. Prints a table;
 * docs/proportion.md keeps one. `--tiny` sends a little of each, to see that it works.
 *
 * Each shape goes through a real Treacle to a real sink, several times in turn with all others; the
 * best round counts, since whatever else runs on the machine only ever adds. How much of it is user mode
 * is known in ticks only, so that part is taken over all rounds: a part of the best, not the
 * best itself.
 *
 * The same goes through a bare pipe of Node to the same sink: that is the price of having so many bytes
 * in so many pieces, and what Treacle costs above it is Treacle's own. A pipe refuses nothing, so it
 * has no figure where the sender is to be refused.
 */
import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { cpuByMode, cpuSeconds } from './lib/proc.ts'
import { connectSecured } from './lib/records.ts'
import { type Server, startTool, startTreacle } from './rig.ts'
import { type Shape, shapesOf } from './shapes.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    tiny: { type: 'boolean', default: false },
  },
})
const mega = 1_000_000
const { tiny } = values

/** One session. @returns How many bytes were sent, as they are on the wire. */
async function send(port: number, shape: Shape): Promise<number> {
  const secured = shape.records === undefined ? null : await connectSecured(port)
  const wire = secured?.wire ?? connect({ port, host: '127.0.0.1', noDelay: true })
  const socket = secured?.socket ?? wire
  const replies = repliesOf(socket)
  await replies.next()
  for (const line of ['EHLO mail.example.org', ...shape.commands]) {
    socket.write(`${line}\r\n`)
    await replies.next()
  }
  const { content, records, pieces } = shape
  if (content !== null) {
    if (secured === null) await write(wire, content, pieces ?? content.length)
    else await secured.writeRecords(content, records ?? content.length)
    await ends(shape, replies)
  }
  wire.destroy()
  return wire.bytesWritten
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

/** What a shape has cost a server in one round. */
interface Cost {
  /** CPU milliseconds for each megabyte. */
  readonly each: number
  /** Seconds by mode, in ticks. */
  readonly user: number
  readonly system: number
}

async function cost({ pid, cgroup, port }: Server, shape: Shape): Promise<Cost> {
  const used = () => cpuSeconds([pid], cgroup ?? undefined)
  const [before, ticksBefore] = [used(), cpuByMode(pid)]
  let byteCount = 0
  for (let count = 0; count < (tiny ? 1 : shape.times); count += 1) {
    byteCount += await send(port, shape)
  }
  const ticks = cpuByMode(pid)
  return {
    each: ((used() - before) * 1_000) / (byteCount / mega),
    user: ticks.user - ticksBefore.user,
    system: ticks.system - ticksBefore.system,
  }
}

/** A line of the table: the costs of all rounds, Treacle's and the pipe's. */
interface Row {
  readonly shape: Shape
  readonly own: Cost[]
  readonly piped: Cost[]
}

const isWanted = ({ name, beside }: Shape): boolean =>
  name === beside || positionals.length === 0 || positionals.some((part) => name.includes(part))

/** Whether the sink's answer to every message is the one that is expected. */
const isPiped = ({ end }: Shape): boolean => end.test('250 ok')

async function main(): Promise<void> {
  await using dns = await startTool('names', (port) => ['127.0.0.1', String(port)])
  await using sink = await startTool('sink', (port) => ['--listen', `127.0.0.1:${port}`])
  const to = `127.0.0.1:${sink.port}`
  const piping = (...more: string[]) =>
    startTool('pipe', (port) => [...more, '--listen', `127.0.0.1:${port}`, '--to', to])
  await using pipe = await piping()
  await using securedPipe = await piping('--tls')
  const setup = { sink: sink.port, dns: dns.port, pauses: false }
  await using strict = await startTreacle(setup)
  await using mending = await startTreacle({
    ...setup,
    config: 'data.bare_newline = "normalize"\ndata.nul = "replace"',
  })
  await using secured = await startTreacle({ ...setup, tls: true })
  const isSecured = ({ records }: Shape) => records !== undefined
  const inTheClear = ({ normalizing }: Shape) => (normalizing === true ? mending : strict)
  const treacleFor = (shape: Shape) => (isSecured(shape) ? secured : inTheClear(shape))
  const pipeFor = (shape: Shape) => (isSecured(shape) ? securedPipe : pipe)
  const wanted = shapesOf(tiny ? mega / 20 : mega).filter(isWanted)
  const rows = wanted.map((shape): Row => ({ shape, own: [], piped: [] }))
  // The first round is for the compiler.
  for (let round = 0; round <= (tiny ? 0 : Number(values.rounds)); round += 1) {
    for (const { shape, own, piped } of rows) {
      own.push(await cost(treacleFor(shape), shape))
      if (isPiped(shape)) piped.push(await cost(pipeFor(shape), shape))
    }
  }
  process.stdout.write(`${table(rows)}\n`)
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ shape, own, piped }) => {
    const plain = rows.find((row) => row.shape.name === shape.beside)
    const cells = [
      ...[milliseconds(best(own)), milliseconds(best(own) * userPart(own))],
      ratio(best(own), best(plain?.own ?? [])),
      ...[milliseconds(best(piped)), ratio(best(piped), best(plain?.piped ?? []))],
    ]
    return `| ${shape.name} | ${cells.join(' | ')} |`
  })
  return [
    '| what is sent | CPU ms / MB | user mode | beside plain mail | bare pipe, ms / MB | pipe beside plain mail |',
    '|---|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n')
}

/** All but the first round, if there are more. */
function counted(costs: readonly Cost[]): readonly Cost[] {
  return costs.length > 1 ? costs.slice(1) : costs
}

/** Not a number where nothing was measured. */
function best(costs: readonly Cost[]): number {
  return costs.length === 0 ? Number.NaN : Math.min(...counted(costs).map(({ each }) => each))
}

/** Of all ticks; not a number where there was none. */
function userPart(costs: readonly Cost[]): number {
  let [user, all] = [0, 0]
  for (const each of counted(costs)) {
    user += each.user
    all += each.user + each.system
  }
  return user / all
}

function milliseconds(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : '-'
}

function ratio(value: number, base: number): string {
  return Number.isFinite(value / base) ? `${(value / base).toFixed(1)}x` : '-'
}

await main()
