/**
 * `npm run bench [-- relay|data|latency|growth|hold|workers] [--tiny]`: Treacle beside its peers, in front of the same
 * sink, round by round; the whole writes bench/RESULTS.md. `--tiny` runs everything once, briefly, and writes
 * nothing: it shows that the benchmark is alive.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findCommand } from '../test/mta/servers/installed.ts'
import { run } from '../test/mta/servers/process.ts'
import { holdTable } from './hold-table.ts'
import { isOwnNetwork, runInOwnNetwork } from './lib/own-network.ts'
import { descriptorsMax } from './lib/proc.ts'
import { median } from './lib/stats.ts'
import { cell, inTurns, interleaved, measure, numbersIn } from './measure.ts'
import { punctualTable } from './punctual-table.ts'
import * as rig from './rig.ts'
import { workersTable } from './workers.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tiny: { type: 'boolean', default: false } },
})
const { tiny } = values
const all = ['relay', 'data', 'latency', 'growth', 'hold', 'workers']
const parts = positionals.length === 0 ? all : positionals
/** One part alone must not take the others' place. */
const isWhole = !tiny && positionals.length === 0
const rounds = tiny ? 1 : 5
const warmingCount = 15_000
/** Where a round takes minutes. */
const fewRounds = tiny ? 1 : 3

interface Table {
  readonly part: string
  readonly title: string
  readonly args: readonly string[]
  readonly keys: readonly Key[]
  readonly rounds?: number
  /** Whether one client has sessions with each server in turn, in place of a round for each. */
  readonly inTurns?: boolean
  /** Who would take too long over it. */
  readonly without?: readonly string[]
}

/** A figure of the tool; and which of the rounds is the best, where that is told beside the median. */
type Key = readonly [title: string, path: string, best?: (...values: number[]) => number]

const rate: Key = ['msg/s', 'messagesPerSecond', Math.max]
const cpu: Key = ['CPU s / 1,000', 'cpuSecondsPer1000', Math.min]
const volume: Key = ['MB/s', 'megabytesPerSecond', Math.max]
const peak: Key = ['peak kB', 'serverPeakRssKb']
/** A thousandth of the bytes will do to see that it works. */
const mega = tiny ? 1_000 : 1_000_000
const load = (count: number, ...rest: (string | number)[]) =>
  [
    '--messages',
    tiny ? Math.min(count, 4) : count,
    '--warmup',
    tiny ? 0 : Math.ceil(count / 5),
    ...rest,
  ].map(String)

const tables: readonly Table[] = [
  {
    part: 'relay',
    title: '4 kB, one a connection, 20 at once',
    args: load(3000, '--concurrency', 20),
    keys: [rate, cpu],
  },
  {
    part: 'relay',
    title: '4 kB, one a connection, 200 at once',
    args: load(3000, '--concurrency', 200),
    keys: [rate, cpu],
  },
  {
    part: 'relay',
    title: '4 kB, 100 a connection, 20 at once',
    args: load(8000, '--concurrency', 20, '--per-conn', 100),
    keys: [rate, cpu],
  },
  {
    part: 'data',
    title: 'one of 20 MB',
    args: load(4, '--size', 20 * mega),
    keys: [volume, cpu, peak],
  },
  {
    part: 'data',
    title: 'ten of 10 MB at once',
    args: load(10, '--size', 10 * mega, '--concurrency', 10),
    keys: [volume, cpu, peak],
  },
  {
    part: 'data',
    title: '5 MB of plain lines',
    args: load(6, '--size', 5 * mega),
    keys: [volume, cpu],
  },
  {
    part: 'data',
    title: '5 MB, each line begins with a dot',
    args: load(6, '--size', 5 * mega, '--shape', 'dotlines'),
    keys: [volume, cpu],
  },
  {
    part: 'data',
    title: '5 MB of lines that are only a dot',
    args: load(6, '--size', 5 * mega, '--shape', 'dots'),
    keys: [volume, cpu],
    without: ['Haraka'],
  },
  {
    part: 'latency',
    title: 'one client, 5,000 sessions with each, 200 in turn',
    args: ['--messages', tiny ? '4' : '5000', '--warmup', tiny ? '0' : '200'],
    // A pause of the machine decides the slowest hundredth of a short round, and meets one server and not the next.
    inTurns: true,
    keys: [
      ['session p50 ms', 'latencyMs.session.p50'],
      ['session p99', 'latencyMs.session.p99'],
      ['banner p50', 'latencyMs.banner.p50'],
    ],
  },
]

const sessionCounts = [1_000, 2_000, 4_000, 8_000, 16_000]
const possible = sessionCounts.filter((count) => descriptorsFor(count) <= descriptorsMax())

/** A proxy has two sockets for each session, one to either side; and it needs some more for itself. */
function descriptorsFor(sessionCount: number): number {
  return 2 * sessionCount + 500
}

/** Says of the largest count that was possible why there is no larger one. */
function limitation(count: number): string {
  const next = sessionCounts[possible.length]
  if (next === undefined || count !== possible.at(-1)) return ''
  return ` (${next} would take ${descriptorsFor(next)} descriptors, and ${descriptorsMax()} is the limit here)`
}

/** Nothing may grow faster than what it is given. */
const growth: readonly Table[] = [
  ...possible.map((count) => ({
    title: `4 kB, ${count} clients at once${limitation(count)}`,
    args: load(2 * count, '--concurrency', tiny ? 4 : count),
    keys: [rate, cpu, peak],
  })),
  ...[1, 10, 100].map((count) => ({
    title: `4 kB, ${count} recipients a message`,
    args: load(count === 100 ? 200 : 1_000, '--rcpts', count),
    keys: [rate, cpu, peak],
  })),
].map((table) => ({
  ...table,
  part: 'growth',
  rounds: fewRounds,
  without: ['Postfix', 'Haraka', 'pipe'],
}))

/** Where Treacle is compared with nobody but itself. */
const ownTables = [
  { part: 'hold', text: holdTable },
  { part: 'hold', text: punctualTable },
  { part: 'workers', text: workersTable },
]

/**
 * Servers run for months. Those that compile as they go are half as fast before some 15,000 messages. Not for large ones:
 * what they need in memory would not be seen in what so many small ones have left.
 */
async function warmUp(servers: readonly rig.Server[]): Promise<void> {
  for (const server of servers) {
    await measure('load', server, load(warmingCount, '--concurrency', 20), 0)
  }
}

function takes({ without }: Table, { name }: rig.Server): boolean {
  return without?.includes(name) !== true
}

/** The baseline is the first of the servers: HAProxy where there is one. */
async function tableText(servers: readonly rig.Server[], table: Table): Promise<string> {
  const taking = servers.filter((server) => takes(table, server))
  const count = table.rounds ?? rounds
  const patienceMs = tiny ? 0 : 4_000
  const readings = table.inTurns
    ? await inTurns(taking, table.args, patienceMs)
    : await interleaved(taking, count, table.args, { patienceMs, warmsUp: !tiny })
  const [base] = readings.values()
  const titles = table.keys.flatMap(([title, , best]) => (best ? [title, 'best'] : [title]))
  const rows = [...readings].map(([name, own]) => {
    const failures = own.map((reading) => reading.failures).find((each) => each !== undefined)
    const failed = failures === undefined ? '' : ` (${JSON.stringify(failures)})`
    const cells = table.keys.flatMap(([, path, best]) => {
      const figures = best === undefined ? [median] : [median, best]
      return figures.map((figure) =>
        cell(figure(...numbersIn(own, path)), figure(...numbersIn(base ?? [], path))),
      )
    })
    return `| ${name}${failed} | ${cells.join(' | ')} |`
  })
  return [
    `## ${table.title}\n`,
    `| | ${titles.join(' | ')} |`,
    `|---|${titles.map(() => '---:').join('|')}|`,
    ...rows,
    '',
  ].join('\n')
}

async function versions(): Promise<string> {
  const haproxy = findCommand('haproxy')
  const { output } =
    haproxy === undefined ? { output: 'none' } : await run(haproxy, ['-v'], { timeoutMs: 5_000 })
  const [processor] = cpus()
  return `Node ${process.version}; ${output.split('\n')[0]}; ${cpus().length} x ${processor?.model}`
}

interface Ports {
  readonly sink: number
  readonly dns: number
}

/** The tables of one part, by servers that have done nothing else: what one part leaves in memory is not the next one's. */
async function tellPart(
  part: string,
  { sink, dns }: Ports,
  tell: (text: string) => void,
): Promise<void> {
  const wanted = [...tables, ...growth].filter((table) => table.part === part)
  if (wanted.length > 0) {
    await using open = new AsyncDisposableStack()
    const to = `127.0.0.1:${sink}`
    const starting = [
      rig.startHaproxy(sink),
      rig.startTool('pipe', (port) => ['--listen', `127.0.0.1:${port}`, '--to', to]),
      rig.startTreacle({ sink, dns, pauses: false, built: !tiny }),
      ...(tiny ? [] : [rig.startPostfixProxy(sink), rig.startHaraka(sink)]),
    ]
    const servers = (await Promise.all(starting)).filter((server) => server !== null)
    for (const server of servers) open.use(server)
    if (!tiny && part !== 'data') {
      await warmUp(servers.filter((server) => wanted.some((table) => takes(table, server))))
    }
    for (const table of wanted) tell(await tableText(servers, table))
  }
  for (const table of ownTables.filter((each) => each.part === part)) {
    tell(await table.text({ sink, dns }, tiny))
  }
}

async function main(): Promise<void> {
  await using dns = await rig.startTool('names', (port) => ['127.0.0.1', String(port)])
  await using sink = await rig.startTool('sink', (port) => ['--listen', `127.0.0.1:${port}`])
  const head = `# Treacle beside its peers\n\n\`npm run bench ${positionals.join(' ')}\`, ${new Date().toISOString()}. ${await versions()}.
Medians of ${rounds} interleaved rounds (${fewRounds} for growth, all together for one client), and the best of them, of servers that have had ${warmingCount} messages
(but for large ones) and a round to warm up; in brackets the ratio to HAProxy. The client, the sink and the servers share the machine with whatever else
runs there: believe ratios, and where rounds differ much, those of the best.${
    isOwnNetwork
      ? ''
      : ` Not in a network namespace: ports may
have run out, which slows all down (bench/lib/own-network.ts).`
  }\n`
  const texts = [head]
  // It takes long, so what there is by then is kept when it is broken off.
  const tell = (text: string) => {
    process.stdout.write(`${text}\n`)
    texts.push(text)
    if (isWhole) writeFileSync(join(import.meta.dirname, 'RESULTS.md'), texts.join('\n'))
  }
  for (const part of parts) await tellPart(part, { sink: sink.port, dns: dns.port }, tell)
}

if (!tiny && !isOwnNetwork) {
  // There is no registry in there.
  if (tables.some(({ part }) => parts.includes(part))) await rig.installHaraka().catch(() => {})
  const code = await runInOwnNetwork()
  if (code !== null) process.exit(code)
}
await main()
process.exit(0)
