/** What it costs to hold clients: memory for each, CPU meanwhile, what a clean client notices, and the start. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/mta/servers/place.ts'
import { measure, pick, type Reading } from './measure.ts'
import { type Server, startTreacle, type TreacleSetup } from './rig.ts'

/** How many are held, and at which of the two places. */
const cases = [
  ...[1_000, 2_000, 5_000, 10_000, 19_000].map((count) => ({ phase: 'greet', count })),
  ...[1_000, 5_000, 16_000].map((count) => ({ phase: 'rcpt', count })),
]

const columns: readonly (readonly [title: string, path: string])[] = [
  ['held', 'held'],
  ['lost', 'lost'],
  ['bytes each', 'bytesPerConnection.anonymous'],
  ['taken in, s', 'secondsToAccept'],
  ['lag p99 meanwhile, ms', 'lagMs'],
  ['CPU share meanwhile', 'cpuShareWhileHolding'],
  ['clean p99 before, ms', 'probeBefore.session.p99'],
  ['clean p99 meanwhile', 'probeHeld.session.p99'],
]

export async function holdTable(
  setup: Omit<TreacleSetup, 'pauses'>,
  tiny: boolean,
): Promise<string> {
  const rows: string[] = []
  for (const { phase, count } of tiny ? cases.slice(0, 1) : cases) {
    const reading = await held(setup, phase, tiny ? 20 : count, tiny)
    rows.push(`| ${phase} | ${columns.map(([, path]) => pick(reading, path)).join(' | ')} |`)
  }
  return [
    '## Held clients\n',
    `| | ${columns.map(([title]) => title).join(' | ')} |`,
    `|---|${columns.map(() => '---:').join('|')}|`,
    ...rows,
    `\nFrom the start of the process to the first 220: ${await startMs(setup, tiny)} ms.\n`,
  ].join('\n')
}

async function held(
  setup: Omit<TreacleSetup, 'pauses'>,
  phase: string,
  count: number,
  tiny: boolean,
): Promise<Reading> {
  await using treacle = await startTreacle({ ...setup, pauses: phase === 'greet', built: !tiny })
  const seconds = tiny ? '0.2' : '2'
  const reading = await measure(
    'hold',
    treacle,
    [
      ...['--phase', phase, '--count', String(count), '--helo', 'client', '--settle', seconds],
      ...['--hold', seconds, '--probe', `127.0.0.1:${treacle.port}`, '--probe-seconds', seconds],
    ],
    tiny ? 0 : 4_000,
  )
  return { ...reading, lagMs: phase === 'greet' ? await lagOf(treacle) : '-' }
}

/** How late the event loop was, at the 99th percentile, from the start until now. */
async function lagOf({ pid, output }: Server): Promise<string> {
  process.kill(pid, 'SIGUSR2')
  for (let tries = 0; tries < 50; tries += 1) {
    const said = /lag p99 (\S+) ms/.exec(await output())?.[1]
    if (said !== undefined) return said
    await sleep(100)
  }
  throw new Error('it does not tell its lag')
}

/** The best of three, as others use the machine. */
async function startMs(setup: Omit<TreacleSetup, 'pauses'>, tiny: boolean): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < (tiny ? 1 : 3); count += 1) {
    const port = await freePort()
    const startedAt = performance.now()
    const starting = startTreacle({ ...setup, port, pauses: false, built: !tiny })
    const greeting = greeted(port, startedAt + 10_000).then(() => performance.now())
    const [treacle, greetedAt] = await Promise.all([starting, greeting])
    times.push(Math.round(greetedAt - startedAt))
    await treacle[Symbol.asyncDispose]()
  }
  return Math.min(...times)
}

/** Settles with the first words of whoever listens there by then. */
async function greeted(port: number, giveUpAt: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    socket.once('end', () => socket.destroy(new Error('nobody greets')))
    try {
      await once(socket, 'data')
      return
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await sleep(5)
    } finally {
      socket.destroy()
    }
  }
}
