/**
 * hold.ts: opens many connections that the server delays, and measures what it costs the server to hold
 * them: memory of its processes and of the kernel for each connection, CPU while nothing happens, the time
 * to take them all in, and what a clean client notices meanwhile. Prints one JSON line.
 *
 *   node hold.ts --target 127.0.0.1:2525 --count 5000 --phase greet --pid 1234 --probe 127.0.0.1:2525
 *
 *   --target HOST:PORT   the server (loopback only)
 *   --count N            connections to hold (this process needs N descriptors)
 *   --phase P            greet: connect and wait; rcpt: say EHLO, MAIL, RCPT and wait for the answer (greet)
 *   --helo NAME          what clients call themselves (mail.example.org)
 *   --parallel P         connections being set up at a time (200)
 *   --sources K          client addresses, 127.1.0.1 onwards (20)
 *   --settle S           seconds between the last connection and measuring (3)
 *   --hold S             seconds of CPU measurement while holding (10)
 *   --probe HOST:PORT    where a clean client (127.0.0.1) sends one message at a time
 *   --probe-seconds S    how long, before and while holding (5)
 *   --pid P[,P]          root processes of the server
 *   --cgroup NAME        cpuacct control group of the server
 *   --gc-signal          send SIGUSR2 to the server and measure again (a server that collects garbage on it)
 *   --max-seconds S      give up setting up after this long (120)
 *   --label TEXT         copied to the output
 */
import { execFileSync } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { endpoint, message, runSession } from './lib/client.ts'
import { cpuSeconds, difference, type Kernel, kernel, type Memory, memory } from './lib/proc.ts'
import { sleep } from './lib/quiet.ts'
import { round, type Summary, summarise } from './lib/stats.ts'

const { values: a } = parseArgs({
  options: {
    target: { type: 'string' },
    count: { type: 'string', default: '1000' },
    phase: { type: 'string', default: 'greet' },
    helo: { type: 'string', default: 'mail.example.org' },
    parallel: { type: 'string', default: '200' },
    sources: { type: 'string', default: '20' },
    settle: { type: 'string', default: '3' },
    hold: { type: 'string', default: '10' },
    probe: { type: 'string' },
    'probe-seconds': { type: 'string', default: '5' },
    pid: { type: 'string', default: '' },
    cgroup: { type: 'string' },
    'gc-signal': { type: 'boolean', default: false },
    'max-seconds': { type: 'string', default: '120' },
    label: { type: 'string', default: '' },
  },
})
if (!a.target) throw new Error('--target HOST:PORT is needed')
const target = endpoint(a.target)
if (!/^(127\.|localhost$|::1$)/.test(target.host)) throw new Error('loopback targets only')
const count = Number(a.count)
const pids = a.pid.split(',').filter(Boolean).map(Number)
const deadline = performance.now() + Number(a['max-seconds']) * 1000

/** Connections that the kernel has completed but the server has not accepted yet. */
function backlog(): number {
  const out = execFileSync('ss', ['-Hltn', `sport = :${target.port}`], { encoding: 'latin1' })
  return out
    .split('\n')
    .filter(Boolean)
    .reduce((n, l) => n + Number(l.trim().split(/\s+/)[1]), 0)
}

const held = new Set<Socket>()
let lost = 0
const reasons = new Map<string, number>()

/** One delayed client; resolves once it has said all that it says before the delay. */
function client(i: number): Promise<void> {
  return new Promise((resolve) => {
    const k = i % Number(a.sources)
    const s = connect({
      host: target.host,
      port: target.port,
      localAddress: `127.1.${k >> 8}.${(k & 255) + 1}`,
      noDelay: true,
    })
    let text = ''
    const lines =
      a.phase === 'rcpt'
        ? [`EHLO ${a.helo}`, 'MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.org>']
        : []
    const gone = (why: string): void => {
      if (held.delete(s)) lost++
      reasons.set(why, (reasons.get(why) ?? 0) + 1)
      resolve()
    }
    s.on('error', (e) => gone(e.message.replace(/127\.1\.\d+\.\d+:\d+/, 'client')))
    s.on('close', () => {
      if (held.has(s)) gone('closed by server')
    })
    s.on('connect', () => {
      held.add(s)
      if (!lines.length) resolve()
    })
    s.on('data', (d) => {
      if (!lines.length) return
      text += d.toString('latin1')
      if (!/(^|\n)\d{3}( [^\n]*)?\r?\n$/.test(text)) return
      if (!/^2/.test(text)) return gone(text.trim().slice(0, 80))
      text = ''
      s.write(`${lines.shift()}\r\n`)
      if (!lines.length) resolve()
    })
  })
}

/** A clean client, one session after another. */
async function probe(
  seconds: number,
): Promise<{ session: Summary; banner: Summary; failed: number } | undefined> {
  if (!a.probe || seconds <= 0) return undefined
  const sessions: number[] = []
  const banners: number[] = []
  let failed = 0
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    try {
      const t = await runSession({
        target: endpoint(a.probe),
        localAddress: '127.0.0.1',
        helo: 'mail.example.org',
        from: 'c@example.org',
        rcpts: ['d@example.org'],
        body: message(4096, 'text'),
        messages: 1,
        starttls: false,
        timeoutMs: 10_000,
      })
      sessions.push(t.total)
      banners.push(t.banner)
    } catch {
      failed++
    }
    await sleep(10)
  }
  return { session: summarise(sessions), banner: summarise(banners), failed }
}

interface Reading {
  memory: Memory
  kernel: Kernel
  ownKb: number
}
const reading = (): Reading => ({
  memory: memory(pids),
  kernel: kernel(),
  ownKb: Math.round(process.memoryUsage().rss / 1024),
})
const collect = async (): Promise<void> => {
  if (!a['gc-signal']) return
  for (const p of pids) process.kill(p, 'SIGUSR2')
  await sleep(1500)
}

const probeBefore = await probe(Number(a['probe-seconds']))
await collect()
const before = reading()
const cpuStart = cpuSeconds(pids, a.cgroup)
const started = performance.now()

let next = 0
await Promise.all(
  Array.from({ length: Number(a.parallel) }, async () => {
    while (next < count && performance.now() < deadline) await client(next++)
  }),
)
const connectedMs = performance.now() - started
while (backlog() > 0 && performance.now() < deadline) await sleep(50)
const acceptedMs = performance.now() - started
const waiting = backlog()
const cpuAccept = cpuSeconds(pids, a.cgroup) - cpuStart

await sleep(Number(a.settle) * 1000)
const n = held.size
const during = reading()
await collect()
const duringGc = a['gc-signal'] ? reading() : undefined

const cpu0 = cpuSeconds(pids, a.cgroup)
const t0 = performance.now()
await sleep(Number(a.hold) * 1000)
const cpuHold = (cpuSeconds(pids, a.cgroup) - cpu0) / ((performance.now() - t0) / 1000)
const probeHeld = await probe(Number(a['probe-seconds']))
const atEnd = held.size

for (const s of held) s.destroy()
held.clear()
await sleep(Number(a.settle) * 1000)
await collect()
const after = reading()

const per = (kb: number): number => round((kb * 1024) / n, 0)
const m = difference(during.memory, before.memory)
const k = difference(during.kernel, before.kernel)
console.log(
  JSON.stringify({
    kind: 'hold',
    label: a.label || undefined,
    target: a.target,
    phase: a.phase,
    asked: count,
    held: n,
    heldAtEnd: atEnd,
    lost,
    notAccepted: waiting,
    reasons: reasons.size ? Object.fromEntries([...reasons].slice(0, 5)) : undefined,
    secondsToConnect: round(connectedMs / 1000),
    secondsToAccept: round(acceptedMs / 1000),
    acceptCpuMicrosPerConnection: round((cpuAccept * 1e6) / n, 1),
    bytesPerConnection: {
      rss: per(m.rssKb),
      pss: per(m.pssKb),
      anonymous: per(m.anonKb),
      afterGc: duringGc ? per(duringGc.memory.anonKb - before.memory.anonKb) : undefined,
      // both ends of a connection are on this machine: the kernel's figures are for the pair
      kernelPair: {
        slab: per(k.slabKb),
        socketSlabs: per(k.socketSlabsKb),
        tcpBuffers: per(k.tcpBuffersKb),
        stacks: per(k.kernelStackKb),
        pageTables: per(k.pageTablesKb),
      },
      // all that went from the machine, less this client's own growth: user and kernel, both ends of the kernel's
      wholeMachine: per(-k.availableKb - (during.ownKb - before.ownKb)),
    },
    processes: m.processes,
    cpuShareWhileHolding: round(cpuHold, 4),
    probeBefore,
    probeHeld,
    leftAfterRelease: {
      anonymousKb: after.memory.anonKb - before.memory.anonKb,
      rssKb: after.memory.rssKb - before.memory.rssKb,
    },
    serverBefore: before.memory,
    serverDuring: during.memory,
  }),
)
process.exit(0)
