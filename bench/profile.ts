/**
 * `npm run profile -- relay|hold [greet|rcpt]|garbage [message|connection]|retained`: where Treacle's time goes under load
 * (a CPU profile), its memory while clients are held (what the heap has more of than before), what is allocated for each
 * message of a hundred in a connection or for a connection with one, or what of each connection stays when it is over,
 * until everything is collected (decision 7). Prints a summary.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Allocations, byFunction } from './lib/allocations.ts'
import { summariseCpuProfile } from './lib/cpu-profile.ts'
import { type HeapSnapshot, heapGrowth } from './lib/heap-growth.ts'
import { measure } from './measure.ts'
import { startTool, startTreacle } from './rig.ts'

const heldCount = 2_000
const sampledCount = 2_000
const folder = mkdtempSync(join(tmpdir(), 'treacle-profile-'))

async function main(what: string | undefined, which: string | undefined): Promise<void> {
  await using dns = await startTool('names', (port) => ['127.0.0.1', String(port)])
  await using sink = await startTool('sink', (port) => ['--listen', `127.0.0.1:${port}`])
  const setup = { sink: sink.port, dns: dns.port }
  const lines = await (what === 'hold'
    ? profileHold(setup, which ?? 'greet')
    : what === 'retained' || what === 'garbage'
      ? profileAllocations(setup, what, which === 'connection' ? 1 : 100)
      : profileRelay(setup))
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function profileRelay(setup: { sink: number; dns: number }): Promise<string[]> {
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`]
  const treacle = await startTreacle({ ...setup, pauses: false, nodeOptions })
  await measure('load', treacle, ['--messages', '10000', '--concurrency', '20'], 0)
  process.kill(treacle.pid, 'SIGTERM')
  await sleep(4_000)
  await treacle[Symbol.asyncDispose]()
  const [file = ''] = readdirSync(folder)
  return summariseCpuProfile(join(folder, file), 40)
}

async function profileHold(setup: { sink: number; dns: number }, phase: string): Promise<string[]> {
  const nodeOptions = [`--heapsnapshot-signal=SIGUSR2`, `--diagnostic-dir=${folder}`]
  await using treacle = await startTreacle({
    ...setup,
    pauses: phase === 'greet',
    nodeOptions,
  })
  await measure('load', treacle, ['--messages', '20', '--warmup', '0'], 0)
  const before = await snapshot(treacle.pid)
  const args = [
    '--phase',
    phase,
    '--helo',
    'client',
    '--count',
    String(heldCount),
    '--settle',
    '1',
    '--hold',
    '15',
  ]
  const holding = measure('hold', treacle, args, 0)
  await sleep(6_000)
  const after = await snapshot(treacle.pid)
  await holding
  return heapGrowth(before, after, heldCount)
}

async function profileAllocations(
  setup: { sink: number; dns: number },
  what: 'retained' | 'garbage',
  perConnection: number,
): Promise<string[]> {
  const file = join(folder, 'samples')
  process.env.SAMPLES_FILE = file
  process.env.SAMPLES = what
  const nodeOptions = [`--import=${join(import.meta.dirname, 'sampler.ts')}`]
  await using treacle = await startTreacle({ ...setup, pauses: false, nodeOptions })
  const many =
    what === 'garbage' ? ['--concurrency', '20', '--per-conn', String(perConnection)] : []
  const send = (count: number) =>
    measure('load', treacle, ['--messages', String(count), '--warmup', '0', ...many], 0)
  // What is compiled by then is compiled as it stays, which decides what is allocated at all.
  await send(what === 'garbage' ? 20_000 : 3_000)
  process.kill(treacle.pid, 'SIGUSR2')
  await send(sampledCount)
  process.kill(treacle.pid, 'SIGUSR2')
  for (let tries = 0; tries < 40 && !existsSync(file); tries += 1) await sleep(500)
  await sleep(1_000)
  const { head }: { head: Allocations } = JSON.parse(readFileSync(file, 'utf8'))
  return byFunction(head, sampledCount)
}

/** Node writes the file bit by bit; it is done when it ends as it must. */
async function snapshot(pid: number): Promise<HeapSnapshot> {
  const known = new Set(readdirSync(folder))
  process.kill(pid, 'SIGUSR2')
  for (let tries = 0; tries < 40; tries += 1) {
    await sleep(500)
    const [name] = readdirSync(folder).filter((each) => !known.has(each))
    const text = name === undefined ? '' : readFileSync(join(folder, name), 'utf8')
    if (/\]\s*\}\s*$/.test(text.slice(-10))) return JSON.parse(text)
  }
  throw new Error('no heap snapshot after 20 s')
}

try {
  await main(process.argv[2], process.argv[3])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
