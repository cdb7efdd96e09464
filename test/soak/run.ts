/**
 * `npm run soak`: ten minutes (`-- --minutes 1` for one) of good and hostile clients, with a reload every
 * five seconds. Afterwards Treacle must hold no more than after the warm-up. Prints the figures and keeps
 * them in docs/soak.md.
 */
import { writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort, inFolder } from '../mta/servers/place.ts'
import { startDaemon } from '../mta/servers/process.ts'
import { startTreacle, type Treacle } from '../mta/servers/treacle.ts'
import { traffic } from './traffic.ts'

interface Figures {
  readonly heapMb: number
  readonly externalMb: number
  readonly rssMb: number
  readonly sockets: number
  readonly timers: number
  readonly files: number
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '40' },
  },
})
const totalMs = Number(values.minutes) * 60_000
const say = (text: string) => process.stdout.write(`${text}\n`)
/** More than this between the two rests is a leak; for the resident memory, from the first busy figure on. */
const slack: Figures = { heapMb: 3, externalMb: 3, rssMb: 60, sockets: 1, timers: 1, files: 2 }

process.exitCode = await main()

async function main(): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'treacle-soak-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  const backend = join(import.meta.dirname, '../faults/backend.ts')
  const args = [backend, '127.0.0.1', String(port), join(folder, 'stored'), '-', '1', '0']
  await inFolder('soak-backend', async (own) => {
    stack.use(await startDaemon({ command: process.execPath, args, ready: /ready/, folder: own }))
  })
  const file = join(folder, 'figures')
  await writeFile(file, '')
  const preload = join(import.meta.dirname, 'figures.ts')
  const env = { NODE_OPTIONS: `--import=${preload}`, SOAK_FIGURES: file }
  const treacle = stack.use(await startTreacle({ config: configFor(port, ''), env }))
  // From here on nobody needs a line for each of many thousand connections.
  await treacle.configure(configFor(port, 'log.level = "error"'))
  const rows: { readonly when: string; readonly figures: Figures }[] = []
  const look = async (when: string) => {
    const figures = await figuresOf(treacle, file)
    rows.push({ when, figures })
    say(`${when}: ${JSON.stringify(figures)}`)
    return figures
  }
  await busy(treacle, totalMs * 0.4)
  const before = await look('at rest after the warm-up')
  const counts: Record<string, number> = {}
  const residentMb: number[] = []
  for (const part of [1, 2, 3]) {
    const more = await busy(treacle, totalMs * 0.2, async () => {
      residentMb.push((await look(`busy, part ${part}`)).rssMb)
    })
    for (const [name, count] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + count
  }
  const after = await look('at rest at the end')
  // V8 and the allocator keep what the traffic needed at its worst, and a rest may come before that was so.
  const grown = wrongIn({ ...before, rssMb: residentMb[0] ?? before.rssMb }, after)
  writeFileSync(join(import.meta.dirname, '../../docs/soak.md'), page(rows, counts))
  say(grown.length === 0 ? 'flat' : `GROWN: ${grown.join(', ')}`)
  return grown.length === 0 ? 0 : 1
}

/** Traffic with a reload every five seconds, and then a rest in which everybody leaves. */
async function busy(treacle: Treacle, ms: number, inBetween = async (): Promise<unknown> => null) {
  const end = AbortSignal.timeout(ms)
  const going = traffic(treacle.address, Number(values.clients), end)
  const middle = sleep(ms / 2).then(inBetween)
  while (!end.aborted) {
    await sleep(Math.min(5_000, ms / 3))
    treacle.signal('SIGHUP')
  }
  const counts = await going
  await middle
  await sleep(7_000)
  return counts
}

async function figuresOf(treacle: Treacle, file: string): Promise<Figures> {
  const before = (await readFile(file, 'utf8')).length
  treacle.signal('SIGUSR2')
  for (;;) {
    const text = (await readFile(file, 'utf8')).slice(before)
    if (text.endsWith('\n')) return JSON.parse(text)
    await sleep(20)
  }
}

function wrongIn(before: Figures, after: Figures): string[] {
  return keysOf(slack)
    .filter((key) => after[key] > before[key] + slack[key])
    .map((key) => `${key} from ${before[key]} to ${after[key]}`)
}

function keysOf(figures: Figures): (keyof Figures)[] {
  return Object.keys(figures).filter((key): key is keyof Figures => key in slack)
}

function configFor(port: number, more: string): string {
  return `
listen.proxy_protocol_from = ["127.0.0.1"]
backend.addresses = ["127.0.0.1:${port}"]
backend.recipient_domains = ["example.net"]
greeting.pause = "20ms"
greeting.pause_suspect = "50ms"
memory.unheard = true
limits.rate_per_address_max = 100000
limits.rate_per_network_max = 100000
memory.unheard_max = 1000
memory.unheard_file = "unheard"
${more}`
}

function page(
  rows: readonly { readonly when: string; readonly figures: Figures }[],
  counts: Readonly<Record<string, number>>,
): string {
  const keys = keysOf(slack)
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  return `# Soak

Written by \`npm run soak\`: ${values.minutes} minutes, ${values.clients} clients at a time, a reload every five seconds,
${total} connections after the warm-up, in turn of ${Object.keys(counts).length} kinds: ${Object.keys(counts).join(', ')}.

All figures after a collection of garbage. Busy figures are from the middle of the traffic; at rest nobody
is connected. At the end nothing may have grown by more than the last line says since the warm-up; resident memory, which V8
and the allocator keep once the traffic has needed it, since the first busy figure.

| when | ${keys.join(' | ')} |
|---|${keys.map(() => '---').join('|')}|
${rows.map(({ when, figures }) => `| ${when} | ${keys.map((key) => figures[key]).join(' | ')} |`).join('\n')}
| may grow by | ${keys.map((key) => slack[key]).join(' | ')} |
`
}
