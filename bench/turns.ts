/**
 * turns.ts: one client that has messages for several servers, some sessions with each in turn, over and over, in any
 * order. So what slows the machine down for a while is met by all alike. Prints one JSON line: by the name
 * of each server, how long whole sessions took and the greetings, in milliseconds.
 *
 *   node turns.ts --target Treacle=2525 --target HAProxy=2526 --messages 1000
 *
 *   --target NAME=PORT   a server on 127.0.0.1; as often as there are servers
 *   --messages N         how many each gets (1000)
 *   --row N              how many of them in a row (200); the first of them finds cold caches
 *   --warmup N           how many each gets before, which are not counted (100)
 *   --size B             bytes on the wire for each message (4096)
 */
import { parseArgs } from 'node:util'
import { message, runSession, type Timings } from './lib/client.ts'
import { summarise } from './lib/stats.ts'

const { values: a } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: [] },
    messages: { type: 'string', default: '1000' },
    row: { type: 'string', default: '200' },
    warmup: { type: 'string', default: '100' },
    size: { type: 'string', default: '4096' },
  },
})
const messages = Number(a.messages)
const row = Number(a.row)
const warmup = Number(a.warmup)
const body = message(Number(a.size), 'text')

interface Server {
  readonly name: string
  readonly port: number
  readonly timings: Timings[]
}

const servers: Server[] = a.target.map((target) => {
  const [name = '', port = ''] = target.split('=')
  return { name, port: Number(port), timings: [] }
})

async function send({ port }: Server): Promise<Timings> {
  return await runSession({
    target: { host: '127.0.0.1', port },
    helo: 'mail.example.org',
    from: 'bench@example.org',
    rcpts: ['rcpt0@example.org'],
    body,
    messages: 1,
    starttls: false,
    timeoutMs: 10_000,
  })
}

function shuffled(all: readonly Server[]): Server[] {
  const keyed = all.map((server) => ({ server, key: Math.random() }))
  return keyed.sort((one, other) => one.key - other.key).map(({ server }) => server)
}

for (const server of servers) for (let sent = 0; sent < warmup; sent += 1) await send(server)
for (let left = messages; left > 0; left -= row) {
  for (const server of shuffled(servers)) {
    for (let sent = 0; sent < Math.min(row, left); sent += 1) {
      server.timings.push(await send(server))
    }
  }
}

const readings = servers.map(({ name, timings }) => {
  const session = summarise(timings.map(({ total }) => total))
  const banner = summarise(timings.map((each) => each.banner))
  return [name, { latencyMs: { session, banner } }]
})
process.stdout.write(`${JSON.stringify(Object.fromEntries(readings))}\n`)
