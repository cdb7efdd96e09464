/** DNS lists: what counts as a listing, and answers that are errors of the list. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ipOf, listIn, listZone, none, soundList, stays } from './worlds.ts'

const minutes = 60_000

describe('DnsList: what counts', () => {
  const ranges = { codes: ['127.0.0.10', '127.0.1.0/24'] }
  const cases: readonly {
    answers: readonly string[]
    codes?: readonly string[]
    counts: readonly string[]
    because: string
  }[] = [
    { answers: [], counts: [], because: 'it is not listed' },
    { answers: ['127.0.0.10'], counts: ['127.0.0.10'], because: 'every code counts' },
    { answers: ['127.0.0.4', '127.0.0.11'], ...ranges, counts: [], because: 'codes match exactly' },
    { answers: ['127.0.0.10'], ...ranges, counts: ['127.0.0.10'], because: 'it is such a code' },
    { answers: ['127.0.1.77'], ...ranges, counts: ['127.0.1.77'], because: 'it is in the network' },
    {
      answers: ['127.0.0.2', '127.0.0.10'],
      ...ranges,
      counts: ['127.0.0.10'],
      because: 'one of several',
    },
    { answers: ['192.0.2.80'], counts: [], because: 'a domain dealer answers like this' },
    {
      answers: ['192.0.2.80', '127.0.0.3'],
      counts: ['127.0.0.3'],
      because: 'only 127.0.0.0/8 can be a listing',
    },
  ]
  for (const { answers, codes = [], counts, because } of cases) {
    it(`${answers.join(' and ') || 'NXDOMAIN'} for [${codes}]: ${because}`, async () => {
      const { list } = listIn({ a: { [`9.2.0.198.${listZone}`]: answers }, settings: { codes } })
      const expected = counts.length > 0 ? { kind: 'found', records: counts } : none
      assert.deepEqual(await list.lookup(ipOf('198.0.2.9'), stays()), expected)
    })
  }

  it('refuses codes that are none, when the configuration is loaded', () => {
    assert.throws(() => listIn({ settings: { codes: ['127.0.0.2-9'] } }), /"127\.0\.0\.2-9"/)
  })

  it('asks for IPv6 addresses by 32 nibbles', async () => {
    const name = `9.0.0.0${'.0'.repeat(20)}.8.b.d.0.1.0.0.2.${listZone}`
    const { list, dns } = listIn({ a: { [name]: ['127.0.0.2'] }, settings: { ipv6: true } })
    const answer = await list.lookup(ipOf('2001:db8::9'), stays())
    assert.deepEqual(answer, { kind: 'found', records: ['127.0.0.2'] })
    assert.deepEqual(dns.asked, [`A ${name}`])
  })

  for (const text of ['10.1.2.3', '192.168.0.1', '127.0.0.2', '169.254.1.1', 'fd00::1', '::1']) {
    it(`never asks about ${text}: it is everybody's`, async () => {
      const { list, dns } = listIn({ a: soundList, settings: { ipv6: true } })
      assert.deepEqual(await list.lookup(ipOf(text), stays()), none)
      assert.deepEqual(dns.asked, [])
    })
  }

  it('does not ask a list of IPv4 addresses about IPv6', async () => {
    const { list, dns } = listIn({ a: soundList })
    assert.deepEqual(await list.lookup(ipOf('2001:db8::9'), stays()), none)
    assert.deepEqual(dns.asked, [])
  })

  it('calls a DNS that fails unavailable, and blames no list for it', async () => {
    const { list, events } = listIn({ down: [`9.2.0.198.${listZone}`] })
    const answer = await list.lookup(ipOf('198.0.2.9'), stays())
    assert.deepEqual(answer, { kind: 'unavailable', why: 'SERVFAIL' })
    assert.equal(list.setAside, null)
    assert.deepEqual(events, [])
  })
})

describe('DnsList: answers that are errors (E10)', () => {
  const why = 'it answers 127.255.255.254, an error of the list'

  it('are no listing, whatever the codes, and set the list aside with one event', async () => {
    const a = { [`9.2.0.198.${listZone}`]: ['127.0.0.10', '127.255.255.254'] }
    const { list, dns, events } = listIn({ a, settings: { codes: ['127.0.0.0/8'] } })
    const answer = await list.lookup(ipOf('198.0.2.9'), stays())
    assert.deepEqual(answer, { kind: 'unavailable', why })
    assert.equal(list.setAside, why)

    for (let times = 0; times < 3; times += 1) {
      const next = await list.lookup(ipOf('198.0.2.10'), stays())
      assert.deepEqual(next, { kind: 'unavailable', why: `set aside: ${why}` })
    }
    assert.equal(dns.asked.length, 1)
    assert.deepEqual(events, [{ kind: 'set-aside', list: 'test', zone: listZone, why }])
  })

  it('let one lookup in five minutes try again, quietly while it fails', async () => {
    const a: Record<string, string[]> = { [`9.2.0.198.${listZone}`]: ['127.255.255.254'] }
    const { list, dns, clock, events } = listIn({ a })
    await list.lookup(ipOf('198.0.2.9'), stays())
    await clock.advance(5 * minutes)
    const askers = [1, 2, 3].map(() => list.lookup(ipOf('198.0.2.9'), stays()))
    for (const answer of await Promise.all(askers)) assert.equal(answer.kind, 'unavailable')
    assert.equal(dns.asked.length, 2)
    assert.equal(events.length, 1)

    delete a[`9.2.0.198.${listZone}`]
    await clock.advance(5 * minutes)
    assert.deepEqual(await list.lookup(ipOf('198.0.2.9'), stays()), none)
    assert.equal(list.setAside, null)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['set-aside', 'in-use'],
    )
  })

  it('stay in force while the DNS is down', async () => {
    const down: string[] = []
    const { list, clock } = listIn({ a: { [`9.2.0.198.${listZone}`]: ['127.255.255.254'] }, down })
    await list.lookup(ipOf('198.0.2.9'), stays())
    down.push(`9.2.0.198.${listZone}`)
    await clock.advance(5 * minutes)
    await list.lookup(ipOf('198.0.2.9'), stays())
    assert.equal(list.setAside, why)
  })

  it('are over after a good check', async () => {
    const { list, events } = listIn({
      a: { ...soundList, [`9.2.0.198.${listZone}`]: ['127.255.255.254'] },
    })
    await list.lookup(ipOf('198.0.2.9'), stays())
    await list.check(stays())
    assert.equal(list.setAside, null)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['set-aside', 'in-use'],
    )
  })

  it('never show the key of the zone', async () => {
    const keyed = `${'k'.repeat(26)}.zen.dq.example.net`
    const a = { [`9.2.0.198.${keyed}`]: ['127.255.255.250'] }
    const { list, events } = listIn({ a, settings: { zone: keyed } })
    const answer = await list.lookup(ipOf('198.0.2.9'), stays())
    assert.equal(events[0]?.zone, '….zen.dq.example.net')
    assert.doesNotMatch(JSON.stringify([answer, events, list.setAside]), /kkkk/)
  })
})
