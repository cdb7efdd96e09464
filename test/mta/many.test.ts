/** 200 clients held at once cost the others nothing, and leave nothing behind. */
import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { describe, it } from 'node:test'
import { startPostfix } from './servers/postfix.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle, type Treacle } from './servers/treacle.ts'

const heldCount = 200
const sampleCount = 15

describe('200 clients held at RCPT', { timeout: 120_000 }, () => {
  it('take nothing from a clean one, and are forgotten when they leave', async () => {
    await using backend = await startPostfix({ xclient: true })
    await using treacle = await startTreacle({
      config: `
        listen.proxy_protocol_from = ["127.0.0.1"]
        backend.addresses = ["127.0.0.1:${backend.port}"]
        delay.target = ["60s", "60s"]
        limits.per_address_max = 1000
        limits.per_network_max = 1000
        limits.rate_per_address_max = 10000
        limits.rate_per_network_max = 10000`,
    })
    // The first round warms everything up: the process, Postfix, the log files.
    await sessionTimes(treacle)
    await treacle.waitForLedgers(sampleCount)
    const socketsBefore = await treacle.restingSocketCount()
    const memoryBefore = treacle.residentBytes
    const before = median(await sessionTimes(treacle))

    const held = await Promise.all(
      Array.from({ length: heldCount }, (_, index) => hold(treacle, `198.51.100.${index + 1}`)),
    )
    const meanwhile = median(await sessionTimes(treacle))
    assert.deepEqual(
      held.map(({ unread }) => unread).filter((text) => text !== ''),
      [],
      'they are all still held',
    )
    assert.equal(
      await treacle.restingSocketCount(),
      socketsBefore + heldCount,
      'and cost a socket each',
    )
    assert.ok(
      meanwhile < 5 * before + 50,
      `a session takes ${meanwhile} ms; it took ${before} ms when nobody was held`,
    )

    for (const client of held) client.leaves()
    await treacle.waitForLedgers(3 * sampleCount + heldCount)
    assert.equal(await treacle.restingSocketCount(), socketsBefore)
    const memoryAfter = treacle.residentBytes
    assert.ok(
      memoryAfter < 1.6 * memoryBefore + 20e6,
      `${memoryAfter} bytes after, ${memoryBefore} before`,
    )
    const ledgers = (await treacle.ledgers()).filter(({ client }) => client !== clean)
    assert.equal(ledgers.length, heldCount)
    assert.equal(new Set(ledgers.map(({ client }) => client)).size, heldCount)
    for (const { outcome, entries } of ledgers) {
      assert.equal(outcome, 'left')
      const wait = entries.find(({ stage }) => stage === 'rcpt')
      assert.deepEqual([wait?.targetMs, wait?.reaction], [60_000, 'left'])
    }

    // Each clean session and the probe at the start: 3 rounds of one connection each, and one.
    const log = await backend.log()
    assert.doesNotMatch(log, /198\.51\.100\./)
    assert.equal(log.match(/ connect from /g)?.length, 3 * sampleCount + 1)

    // Nothing is left that would keep the process alive, or make it wait.
    assert.equal(await treacle.stop(), 0)
  })
})

const clean = '192.0.2.10'

/** How long whole sessions of a clean client take, one after the other, in milliseconds. */
async function sessionTimes(treacle: Treacle): Promise<number[]> {
  const times: number[] = []
  for (let count = 0; count < sampleCount; count += 1) {
    const startedAt = performance.now()
    using client = await Talk.to(treacle.address, clean)
    await client.opens()
    assert.equal((await client.gives('user@example.net')).code, 250)
    assert.equal((await client.sends('Subject: hello\n\nhello\n')).code, 250)
    await client.quits()
    times.push(performance.now() - startedAt)
  }
  return times
}

/** A client that Treacle keeps waiting for its answer to RCPT. */
async function hold(treacle: Treacle, ip: string): Promise<Talk> {
  const client = await Talk.to(treacle.address, ip)
  await client.opens('MarineGuy')
  assert.equal((await client.asks('MAIL FROM:<a@client.example>')).code, 250)
  client.says('RCPT TO:<user@example.net>')
  return client
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
