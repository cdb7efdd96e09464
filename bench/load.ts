/**
 * load.ts: sends messages through an SMTP server and prints one JSON line: messages/s, MB/s, latency by
 * stage, and (given the server's process or control group) CPU seconds for each 1000 messages.
 *
 *   node load.ts --target 127.0.0.1:2525 --messages 2000 --concurrency 20
 *
 *   --target HOST:PORT   where to send (loopback only)
 *   --messages N         messages in the counted run (1000)
 *   --concurrency C      sessions at the same time (1)
 *   --per-conn K         messages in each session (1); 0: one session for each worker, for all its share
 *   --size B             bytes on the wire for each message (4096)
 *   --shape S            text | dots | dotlines | longline (text)
 *   --rcpts R            recipients of each message (1)
 *   --starttls           upgrade each session (certificate not checked)
 *   --warmup N           messages sent first and not counted (10 % of N, at most 200)
 *   --from-address A     source address of the client's sockets (127.0.0.1)
 *   --pid P[,P]          root processes of the server: CPU and memory of their trees
 *   --cgroup NAME        cpuacct control group of the server (exact CPU, children that ended included)
 *   --max-seconds S      stop starting sessions after this long (60)
 *   --label TEXT         copied to the output
 */
import { parseArgs } from 'node:util'
import {
  endpoint,
  message,
  runSession,
  type Session,
  type Shape,
  type Timings,
} from './lib/client.ts'
import { cpuSeconds, memory, peakRssKb, resetPeak } from './lib/proc.ts'
import { round, summarise } from './lib/stats.ts'

const { values: a } = parseArgs({
  options: {
    target: { type: 'string' },
    messages: { type: 'string', default: '1000' },
    concurrency: { type: 'string', default: '1' },
    'per-conn': { type: 'string', default: '1' },
    size: { type: 'string', default: '4096' },
    shape: { type: 'string', default: 'text' },
    rcpts: { type: 'string', default: '1' },
    starttls: { type: 'boolean', default: false },
    warmup: { type: 'string' },
    'from-address': { type: 'string', default: '127.0.0.1' },
    pid: { type: 'string', default: '' },
    cgroup: { type: 'string' },
    'max-seconds': { type: 'string', default: '60' },
    label: { type: 'string', default: '' },
  },
})
if (!a.target) throw new Error('--target HOST:PORT is needed')
const target = endpoint(a.target)
if (!/^(127\.|localhost$|::1$)/.test(target.host)) throw new Error('loopback targets only')

const messages = Number(a.messages)
const concurrency = Number(a.concurrency)
const warmup = Number(a.warmup ?? Math.min(200, Math.ceil(messages / 10)))
const maxMs = Number(a['max-seconds']) * 1000
const pids = a.pid.split(',').filter(Boolean).map(Number)
const body = message(Number(a.size), a.shape as Shape)

const template: Session = {
  target,
  localAddress: a['from-address'],
  helo: 'mail.example.org',
  from: 'bench@example.org',
  rcpts: Array.from({ length: Number(a.rcpts) }, (_, i) => `rcpt${i}@example.org`),
  body,
  messages: 1,
  starttls: a.starttls,
  timeoutMs: maxMs + 10_000,
}

interface Result {
  timings: Timings[]
  failures: Map<string, number>
  failed: number
  ms: number
}

/** `count` messages by `concurrency` workers that take sessions from a shared budget. */
async function send(count: number): Promise<Result> {
  const r: Result = { timings: [], failures: new Map(), failed: 0, ms: 0 }
  const per = Number(a['per-conn']) || Math.ceil(count / concurrency)
  let left = count
  const started = performance.now()
  const worker = async (): Promise<void> => {
    while (left > 0 && performance.now() - started < maxMs) {
      const n = Math.min(per, left)
      left -= n
      try {
        r.timings.push(await runSession({ ...template, messages: n }))
      } catch (e) {
        const why = (e as Error).message.slice(0, 120)
        r.failures.set(why, (r.failures.get(why) ?? 0) + 1)
        r.failed += n
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker))
  r.ms = performance.now() - started
  return r
}

if (warmup > 0) await send(warmup)
resetPeak(pids)
const cpuBefore = pids.length || a.cgroup ? cpuSeconds(pids, a.cgroup) : NaN
const own = process.cpuUsage()
const r = await send(messages)
const ownUsed = process.cpuUsage(own)
const cpu = (pids.length || a.cgroup ? cpuSeconds(pids, a.cgroup) : NaN) - cpuBefore
const done = r.timings.reduce((n, t) => n + t.transactions.length, 0)
const seconds = r.ms / 1000
const by = (f: (t: Timings) => number) => summarise(r.timings.map(f))

console.log(
  JSON.stringify({
    kind: 'load',
    label: a.label || undefined,
    target: a.target,
    messages: done,
    failed: r.failed,
    failures: r.failures.size ? Object.fromEntries(r.failures) : undefined,
    concurrency,
    perConn: Number(a['per-conn']),
    bytes: body.length,
    shape: a.shape,
    starttls: a.starttls || undefined,
    seconds: round(seconds),
    messagesPerSecond: round(done / seconds, 1),
    megabytesPerSecond: round((done * body.length) / 1e6 / seconds, 2),
    cpuSecondsPer1000: Number.isNaN(cpu) ? undefined : round((cpu / done) * 1000, 4),
    serverCpuShare: Number.isNaN(cpu) ? undefined : round(cpu / seconds, 3),
    clientCpuShare: round((ownUsed.user + ownUsed.system) / 1e6 / seconds, 3),
    serverRssKb: pids.length ? memory(pids).rssKb : undefined,
    serverPeakRssKb: pids.length ? peakRssKb(pids) : undefined,
    latencyMs: {
      session: by((t) => t.total),
      transaction: summarise(r.timings.flatMap((t) => t.transactions)),
      banner: by((t) => t.banner),
      ehlo: by((t) => t.helo - t.banner),
      mail: by((t) => t.mail - t.helo),
      rcpt: by((t) => t.rcpt - t.mail),
      data: by((t) => t.data - t.rcpt),
      endOfData: by((t) => t.eod - t.data),
    },
  }),
)
