/**
 * punctual.ts: clients that come evenly, one after another, say all up to RCPT, are made to wait there and leave
 * when they are answered. Prints one JSON line with how long each answer took, by the client's address and
 * port, so that it can be set beside what the server's log says of the same connection.
 *
 *   node punctual.ts --target 127.0.0.1:2525 --count 4000 --seconds 20
 *
 *   --target HOST:PORT   the server (loopback only)
 *   --count N            clients in all (100)
 *   --seconds S          how long it takes until all have come (10)
 *   --networks K         how many /24 they come from, 127.1.0.1, 127.1.1.1 and so on (200)
 *   --helo NAME          what they call themselves (client)
 *   --timeout S          give up on an answer after so long (60)
 *   --pid P[,P]          root processes of the server
 *   --cgroup NAME        cpuacct control group of the server
 */
import { connect } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { endpoint } from './lib/client.ts'
import { cpuSeconds } from './lib/proc.ts'
import { sleep } from './lib/quiet.ts'
import { round } from './lib/stats.ts'

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: '' },
    count: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    networks: { type: 'string', default: '200' },
    helo: { type: 'string', default: 'client' },
    timeout: { type: 'string', default: '60' },
    pid: { type: 'string', default: '' },
    cgroup: { type: 'string' },
  },
})
const target = endpoint(values.target)
if (!/^(127\.|localhost$|::1$)/.test(target.host)) throw new Error('loopback targets only')
const count = Number(values.count)
const pids = values.pid.split(',').filter(Boolean).map(Number)

/** Milliseconds from RCPT to its answer, by the client's "address:port". */
const answers: [client: string, ms: number][] = []
const failures = new Map<string, number>()
let heldCount = 0
let heldMax = 0

/** One client, from its first word to its last. */
function visit(number: number): Promise<void> {
  const network = number % Number(values.networks)
  const localAddress = `127.${1 + (network >> 8)}.${network & 255}.1`
  const socket = connect({ ...target, localAddress, noDelay: true })
  const lines = [`EHLO ${values.helo}`, 'MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.org>']
  const { promise, resolve } = Promise.withResolvers<void>()
  let heard = ''
  let askedAt = 0
  const end = (failure: string | null) => {
    clearTimeout(timer)
    if (askedAt > 0) heldCount -= 1
    if (failure !== null) failures.set(failure, (failures.get(failure) ?? 0) + 1)
    for (const event of ['data', 'close']) socket.removeAllListeners(event)
    socket.resume().end('QUIT\r\n')
    resolve()
  }
  const timer = setTimeout(() => end('no answer'), Number(values.timeout) * 1_000)
  socket.on('error', () => {}) // 'close' comes after it
  socket.on('close', () => end('closed'))
  socket.on('data', (chunk) => {
    const heardAt = performance.now()
    heard += chunk
    if (!/(?:^|\n)\d{3} [^\n]*\n$/.test(heard)) return
    if (!heard.startsWith('2')) return end(heard.trim().slice(0, 80))
    heard = ''
    if (askedAt > 0) {
      answers.push([`${socket.localAddress}:${socket.localPort}`, round(heardAt - askedAt)])
      return end(null)
    }
    socket.write(`${lines.shift()}\r\n`)
    if (lines.length > 0) return
    askedAt = performance.now()
    heldCount += 1
    heldMax = Math.max(heldMax, heldCount)
  })
  return promise
}

const lag = monitorEventLoopDelay({ resolution: 5 })
lag.enable()
const cpuBefore = cpuSeconds(pids, values.cgroup)
const startedAt = performance.now()
const visits: Promise<void>[] = []
for (let number = 0; number < count; number += 1) {
  const dueAt = startedAt + (number / count) * Number(values.seconds) * 1_000
  if (dueAt > performance.now()) await sleep(dueAt - performance.now())
  visits.push(visit(number))
}
await Promise.all(visits)
const seconds = (performance.now() - startedAt) / 1_000

const line = JSON.stringify({
  kind: 'punctual',
  answered: answers.length,
  failures: failures.size > 0 ? Object.fromEntries([...failures].slice(0, 5)) : undefined,
  heldMax,
  serverCpuShare: round((cpuSeconds(pids, values.cgroup) - cpuBefore) / seconds, 3),
  ownLagP99Ms: round(lag.percentile(99) / 1e6 - 5, 1),
  answers,
})
// So many answers do not go through a pipe at once, and leaving would cut them off.
process.stdout.write(`${line}\n`, () => process.exit(0))
