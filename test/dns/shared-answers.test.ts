/** SystemDns against a DNS server: many who ask the same, and what is remembered for the next. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import type { Zone } from './dns-server.ts'
import { found, stays, systemDnsAt, unavailable } from './worlds.ts'

describe('SystemDns: many askers', () => {
  const zone: Zone = {
    'A here.example': { values: ['192.0.2.1'] },
    'A other.example': { values: ['192.0.2.2'] },
    'A third.example': { values: ['192.0.2.3'] },
  }

  it('asks once for all who ask the same', async () => {
    await using at = await systemDnsAt(zone)
    at.server.hold()
    const askers = Array.from({ length: 50 }, () => at.dns.addresses('here.example', 4, stays()))
    await at.server.arrived(1)
    at.server.release()
    for (const answer of await Promise.all(askers)) assert.equal(answer.kind, 'found')
    assert.deepEqual(at.server.asked, ['A here.example'])
    const { asked, sent, joined, found } = at.dns.counters
    assert.deepEqual({ asked, sent, joined, found }, { asked: 50, sent: 1, joined: 49, found: 1 })
  })

  it('lets one asker leave alone, and leaves none of its listeners behind', async () => {
    await using at = await systemDnsAt(zone)
    at.server.hold()
    const client = new AbortController()
    const leaves = at.dns.addresses('here.example', 4, client.signal)
    const other = at.dns.addresses('here.example', 4, stays())
    await at.server.arrived(1)
    client.abort(new Error('hung up'))
    await assert.rejects(Promise.resolve(leaves), /hung up/)
    assert.equal(getEventListeners(client.signal, 'abort').length, 0)
    at.server.release()
    assert.equal((await other).kind, 'found')
  })

  it('keeps for the next what was asked by one who left', async () => {
    await using at = await systemDnsAt(zone)
    at.server.hold()
    const client = new AbortController()
    const leaves = at.dns.addresses('here.example', 4, client.signal)
    await at.server.arrived(1)
    client.abort(new Error('hung up'))
    await assert.rejects(Promise.resolve(leaves), /hung up/)
    at.server.release()
    assert.equal((await at.dns.addresses('here.example', 4, stays())).kind, 'found')
    assert.deepEqual(at.server.asked, ['A here.example'])
  })

  it('lets questions wait for their turn, but not for longer than an answer may take', async () => {
    await using at = await systemDnsAt(zone, { resolvers: 1, in_flight_max: 1, timeout: '5s' })
    at.server.hold()
    const first = at.dns.addresses('here.example', 4, stays())
    const second = at.dns.addresses('other.example', 4, stays())
    const third = at.dns.addresses('third.example', 4, stays())
    assert.deepEqual(await third, unavailable('too many queries'))
    assert.deepEqual(at.dns.gauges, { inFlight: 1, queued: 1, kept: 1 })

    await at.server.arrived(1)
    await at.clock.advance(5_000)
    assert.deepEqual(await second, unavailable('time-out'))
    assert.deepEqual(await first, unavailable('time-out'))
    assert.deepEqual(at.server.asked, ['A here.example'])
  })

  it('takes turns in order once there is room', async () => {
    await using at = await systemDnsAt(zone, { resolvers: 1, in_flight_max: 1 })
    const names = ['here.example', 'other.example']
    const answers = await Promise.all(names.map((name) => at.dns.addresses(name, 4, stays())))
    assert.deepEqual(answers, [found('192.0.2.1'), found('192.0.2.2')])
    assert.deepEqual(at.server.asked, ['A here.example', 'A other.example'])
    assert.deepEqual(at.dns.gauges, { inFlight: 0, queued: 0, kept: 2 })
  })
})

describe('SystemDns: memory', () => {
  const zone: Zone = {
    'A short.example': { ttl: 10, values: ['192.0.2.1'] },
    'A never.example': { ttl: 0, values: ['192.0.2.1'] },
    'A week.example': { ttl: 604_800, values: ['192.0.2.1'] },
    'A down.example': 'SERVFAIL',
    'TXT big.example': { values: Array.from({ length: 5 }, () => 'x'.repeat(1_000)) },
    'TXT small.example': { values: ['x'] },
  }
  const cases = [
    { name: 'short.example', keptMs: 10_000, because: 'its owner says so' },
    { name: 'never.example', keptMs: 0, because: 'its owner says so' },
    { name: 'week.example', keptMs: 3_600_000, because: 'we keep nothing for longer' },
    { name: 'gone.example', keptMs: 60_000, because: 'that it is not there may change' },
    { name: 'down.example', keptMs: 5_000, because: 'a failure is no answer' },
  ]
  for (const { name, keptMs, because } of cases) {
    it(`keeps ${name} for ${keptMs} ms: ${because}`, async () => {
      await using at = await systemDnsAt(zone)
      const ask = () => at.dns.addresses(name, 4, stays())
      const first = await ask()
      if (keptMs > 0) {
        await at.clock.advance(keptMs - 1)
        assert.deepEqual(await ask(), first)
        assert.equal(at.server.asked.length, 1)
        await at.clock.advance(1)
      }
      assert.deepEqual(await ask(), first)
      assert.equal(at.server.asked.length, 2)
    })
  }

  it('keeps what has no time of its own for cache_without_ttl', async () => {
    await using at = await systemDnsAt(zone)
    await at.dns.texts('small.example', stays())
    await at.clock.advance(299_999)
    await at.dns.texts('small.example', stays())
    assert.equal(at.server.asked.length, 1)
    await at.clock.advance(1)
    await at.dns.texts('small.example', stays())
    assert.equal(at.server.asked.length, 2)
  })

  it('does not keep an answer that would fill it', async () => {
    await using at = await systemDnsAt(zone)
    for (let times = 0; times < 2; times += 1) {
      const answer = await at.dns.texts('big.example', stays())
      assert.equal(answer.kind === 'found' && answer.records.length, 5)
    }
    assert.equal(at.server.asked.length, 2)
    assert.equal(at.dns.gauges.kept, 0)
  })

  it('is bounded, and gives up what was unused for longest', async () => {
    await using at = await systemDnsAt({}, { cache_entries: 3 })
    for (const name of ['a', 'b', 'c', 'a', 'd']) await at.dns.addresses(name, 4, stays())
    assert.equal(at.dns.gauges.kept, 3)
    await at.dns.addresses('a', 4, stays())
    await at.dns.addresses('b', 4, stays())
    assert.deepEqual(at.server.asked, ['A a', 'A b', 'A c', 'A d', 'A b'])
  })
})
