/** The self-test of DNS lists: which are believed, which are set aside, and for how long. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runListChecks } from '../../src/dns/dns-list.ts'
import { ipOf, listIn, listZone, none, soundList, stays } from './worlds.ts'

const minutes = 60_000
const point6 = (last: 1 | 2) => `${last}.0.0.0.0.0.f.7.f.f.f.f${'.0'.repeat(20)}.${listZone}`
const soundList6 = { [point6(2)]: ['127.0.0.2'] }

describe('DnsList: self-test (RFC 5782 section 5)', () => {
  const silentList = 'it does not list its test entry 127.0.0.2'
  const cases: readonly {
    label: string
    a?: Readonly<Record<string, readonly string[]>>
    down?: readonly string[]
    setAside: string | null
  }[] = [
    { label: 'a sound list', a: soundList, setAside: null },
    { label: 'a dead list', setAside: silentList },
    {
      label: 'E9: a list that lists everybody',
      a: { ...soundList, [`1.0.0.127.${listZone}`]: ['127.0.0.2'] },
      setAside: 'it lists 127.0.0.1, which nobody may list',
    },
    {
      label: 'a zone that was sold',
      a: { [`2.0.0.127.${listZone}`]: ['192.0.2.80'], [`1.0.0.127.${listZone}`]: ['192.0.2.80'] },
      setAside: silentList,
    },
    {
      label: 'a list that will not serve us',
      a: { [`2.0.0.127.${listZone}`]: ['127.255.255.252'] },
      setAside: 'it answers 127.255.255.252, an error of the list',
    },
    {
      label: 'a list that refuses every second question',
      a: { ...soundList, [`1.0.0.127.${listZone}`]: ['127.255.255.255'] },
      setAside: 'it answers 127.255.255.255, an error of the list',
    },
    { label: 'a DNS that is down', down: [`2.0.0.127.${listZone}`], setAside: null },
    {
      label: 'a DNS that is half down, and a list of everybody',
      a: { [`1.0.0.127.${listZone}`]: ['127.0.0.2'] },
      down: [`2.0.0.127.${listZone}`],
      setAside: 'it lists 127.0.0.1, which nobody may list',
    },
  ]
  for (const { label, a = {}, down = [], setAside } of cases) {
    it(`${label}: ${setAside ?? 'in use'}`, async () => {
      const { list, events } = listIn({ a, down })
      await list.check(stays())
      await list.check(stays())
      assert.equal(list.setAside, setAside)
      assert.deepEqual(
        events.map(({ kind }) => kind),
        setAside === null ? [] : ['set-aside'],
      )
    })
  }

  it('alone brings a broken list back; neither time nor a DNS that is down does', async () => {
    const a: Record<string, readonly string[]> = {}
    const down: string[] = []
    const { list, clock, dns, events } = listIn({ a, down })
    await list.check(stays())
    await clock.advance(60 * minutes)
    assert.equal((await list.lookup(ipOf('198.0.2.9'), stays())).kind, 'unavailable')
    assert.equal(dns.asked.length, 2)

    down.push(`2.0.0.127.${listZone}`)
    await list.check(stays())
    assert.equal(list.setAside, silentList)

    down.pop()
    Object.assign(a, soundList)
    await list.check(stays())
    assert.equal(list.setAside, null)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['set-aside', 'in-use'],
    )
  })

  it('outweighs an error: a broken list that also refuses stays aside', async () => {
    const a: Record<string, readonly string[]> = {}
    const { list, clock } = listIn({ a })
    await list.check(stays())
    a[`2.0.0.127.${listZone}`] = ['127.255.255.254']
    await list.check(stays())
    await clock.advance(6 * minutes)
    assert.equal((await list.lookup(ipOf('198.0.2.9'), stays())).kind, 'unavailable')
    assert.equal(list.setAside, silentList)
  })

  it('asks for the IPv6 test points in the IPv6 tree', async () => {
    const { list, dns } = listIn({ a: { ...soundList, ...soundList6 }, settings: { ipv6: true } })
    await list.check(stays())
    assert.deepEqual(dns.asked.slice(2), [`A ${point6(2)}`, `A ${point6(1)}`])
    assert.equal(list.ipv6, true)
  })

  for (const { label, a } of [
    { label: 'missing', a: soundList },
    { label: 'all listed', a: { ...soundList, ...soundList6, [point6(1)]: ['127.0.0.2'] } },
    { label: 'refused', a: { ...soundList, [point6(2)]: ['127.255.255.252'] } },
  ]) {
    it(`IPv6 test points ${label}: the list goes on for IPv4 alone`, async () => {
      const table: Record<string, readonly string[]> = { ...a }
      const { list, events } = listIn({ a: table, settings: { ipv6: true } })
      await list.check(stays())
      assert.deepEqual([list.setAside, list.ipv6], [null, false])
      assert.deepEqual(await list.lookup(ipOf('2001:db8::9'), stays()), none)

      delete table[point6(1)]
      Object.assign(table, soundList6)
      await list.check(stays())
      assert.equal(list.ipv6, true)
      assert.deepEqual(
        events.map(({ kind }) => kind),
        ['ipv6-off', 'ipv6-on'],
      )
    })
  }
})

describe('runListChecks', () => {
  it('tests each list at the start and then at each interval, and ends quietly', async () => {
    const { list, dns, clock } = listIn({ a: soundList })
    const running = new AbortController()
    const done = runListChecks([list], clock, { everyMs: 30 * minutes }, running.signal)
    await clock.advance(0)
    assert.equal(dns.asked.length, 2)
    await clock.advance(30 * minutes)
    assert.equal(dns.asked.length, 4)
    running.abort()
    await done
    assert.equal(clock.sleeping, 0)
  })

  it('ends quietly in the middle of a test', async () => {
    const { list, clock } = listIn({ a: soundList, slowMs: 1_000 })
    const running = new AbortController()
    const done = runListChecks([list], clock, { everyMs: 30 * minutes }, running.signal)
    await clock.advance(500)
    running.abort()
    await done
    assert.equal(clock.sleeping, 0)
  })
})
