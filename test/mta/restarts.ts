/**
 * Upgrades under load: a Postfix that queues sends through Treacle to another Postfix, and meanwhile
 * Treacle is replaced again and again. Every message must arrive once.
 *
 *   npm run restarts                    20 restarts each way
 *   npm run restarts -- 50 overlap      so many, one way
 */
import assert from 'node:assert/strict'
import { boundSocket } from './servers/bound-socket.ts'
import type { MailServer } from './servers/mail-server.ts'
import { freePort } from './servers/place.ts'
import { startPostfix } from './servers/postfix.ts'
import { waitUntil } from './servers/process.ts'
import { startTreacle, type Treacle } from './servers/treacle.ts'

/**
 * `overlap`: the new one listens on the same port before the old one is told to stop (SO_REUSEPORT).
 * `hand-over`: somebody else holds the socket, as systemd does; old one out, new one in.
 */
export type Way = 'overlap' | 'hand-over'

export interface Result {
  readonly restarts: number
  readonly messages: number
  /** How often the queueing Postfix had to try again. */
  readonly deferrals: number
  readonly seconds: number
}

/** @throws AssertionError when a message is lost or came twice. */
export async function restartUnderLoad(way: Way, restarts: number): Promise<Result> {
  const startedAt = Date.now()
  await using backend = await startPostfix({ xclient: true })
  using socket = boundSocket()
  const port = way === 'overlap' ? await freePort() : socket.port
  const start = () =>
    startTreacle({
      config: `
        listen.addresses = ["127.0.0.1:${port}"]
        listen.reuse_port = true
        backend.addresses = ["127.0.0.1:${backend.port}"]
        delay.session_budget = "2s"
        limits.rate_per_address_max = 10000
        limits.rate_per_network_max = 10000`,
      ...(way === 'hand-over' && { listeningFd: socket.fd }),
    })
  await using sender = await startPostfix({ relayhost: `[127.0.0.1]:${port}`, config: impatient })
  let treacle = await start()
  const load = keepSending(sender)
  try {
    for (let done = 0; done < restarts; done += 1) {
      await load.more(3)
      treacle = await replace(treacle, start, way)
    }
    await load.more(3)
    const messages = await load.stop()
    await everyOneOnce(backend, sender, messages)
    const deferrals = (await sender.log()).match(/status=deferred/g)?.length ?? 0
    return { restarts, messages, deferrals, seconds: Math.round((Date.now() - startedAt) / 1_000) }
  } finally {
    await load.stop()
    assert.equal(await treacle.stop(), 0)
  }
}

/** A HELO that is suspicious, so that some clients are held when the stop comes; quick to retry. */
const impatient = {
  smtp_helo_name: 'localhost',
  minimal_backoff_time: '1s',
  maximal_backoff_time: '2s',
  queue_run_delay: '1s',
  default_destination_concurrency_failed_cohort_limit: '0',
}

async function replace(old: Treacle, start: () => Promise<Treacle>, way: Way): Promise<Treacle> {
  if (way === 'overlap') {
    const next = await start()
    assert.equal(await old.stop(), 0)
    return next
  }
  assert.equal(await old.stop(), 0)
  return await start()
}

/** Sends messages 0, 1, 2 ... without pause until it is told to stop. */
function keepSending(sender: MailServer) {
  let count = 0
  let isStopping = false
  const sending = (async () => {
    while (!isStopping) {
      const data = `From: a@client.example\nTo: user@example.net\nSubject: number ${count}\n\nHello.\n`
      await sender.send({ from: 'a@client.example', to: 'user@example.net', data })
      count += 1
    }
  })()
  return {
    /** Waits until so many more are in the queue. */
    more: (messages: number) => {
      const enough = count + messages
      const what = async () => `${messages} more messages are queued`
      return waitUntil(async () => count >= enough, { timeoutMs: 30_000, what })
    },
    stop: async () => {
      isStopping = true
      await sending
      return count
    },
  }
}

async function everyOneOnce(backend: MailServer, sender: MailServer, messages: number) {
  await sender.flush()
  await waitUntil(async () => (await backend.messages('user')).length >= messages, {
    timeoutMs: 60_000,
    what: async () => `${messages} messages arrive\n${(await sender.log()).slice(-4_000)}`,
  })
  const numbers = (await backend.messages('user'))
    .map((message) => Number(/^Subject: number (\d+)$/m.exec(message.toString())?.[1]))
    .sort((a, b) => a - b)
  assert.deepEqual(
    numbers,
    Array.from({ length: messages }, (_, number) => number),
  )
}

if (import.meta.main) {
  const [count = '20', only] = process.argv.slice(2)
  for (const way of ['overlap', 'hand-over'] as const) {
    if (only !== undefined && only !== way) continue
    const { restarts, messages, deferrals, seconds } = await restartUnderLoad(way, Number(count))
    process.stdout.write(
      `${way}: ${restarts} restarts in ${seconds} s, ${messages} messages, each delivered once; ` +
        `${deferrals} deliveries were put off and tried again\n`,
    )
  }
}
