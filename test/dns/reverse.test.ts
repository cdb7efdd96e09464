/** Who an address claims to be: Exim's rules for $sender_host_name, as tables. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Identity, identify } from '../../src/dns/reverse.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { ipOf, stays } from './worlds.ts'

interface Case {
  readonly ip?: string
  readonly dns: FakeRecords
  readonly is: Identity['state']
  readonly pointers?: readonly string[]
  readonly confirmed?: readonly string[]
}

const client4 = '192.0.2.1'
const cases: Readonly<Record<string, Case>> = {
  'a name that leads back': {
    dns: { ptr: { [client4]: ['a.example'] }, a: { 'a.example': ['192.0.2.9', client4] } },
    is: 'confirmed',
    pointers: ['a.example'],
    confirmed: ['a.example'],
  },
  'E3: a name that leads elsewhere': {
    dns: { ptr: { [client4]: ['trusted.example'] }, a: { 'trusted.example': ['198.51.100.1'] } },
    is: 'unconfirmed',
    pointers: ['trusted.example'],
  },
  'a name that leads nowhere, as in many pools of home connections': {
    dns: { ptr: { [client4]: ['pool-1.example'] } },
    is: 'unconfirmed',
    pointers: ['pool-1.example'],
  },
  'no name': { dns: {}, is: 'none' },
  'E1: a name that is no host name': {
    dns: { ptr: { [client4]: ['a\\013\\010x-spam-status: no.example'] } },
    is: 'none',
  },
  'E6: a reverse zone that is down': { dns: { down: [client4] }, is: 'unavailable' },
  'a forward zone that is down': {
    dns: { ptr: { [client4]: ['a.example'] }, down: ['a.example'] },
    is: 'unavailable',
    pointers: ['a.example'],
  },
  'several names, of which some lead back': {
    dns: {
      ptr: { [client4]: ['c.example', 'a.example', 'b.example'] },
      a: { 'b.example': [client4], 'c.example': [client4] },
    },
    is: 'confirmed',
    pointers: ['c.example', 'a.example', 'b.example'],
    confirmed: ['c.example', 'b.example'],
  },
  'one name is down, another leads back': {
    dns: {
      ptr: { [client4]: ['a.example', 'b.example'] },
      a: { 'b.example': [client4] },
      down: ['a.example'],
    },
    is: 'confirmed',
    pointers: ['a.example', 'b.example'],
    confirmed: ['b.example'],
  },
  'one name leads elsewhere, another is down': {
    dns: { ptr: { [client4]: ['a.example', 'b.example'] }, down: ['b.example'] },
    is: 'unavailable',
    pointers: ['a.example', 'b.example'],
  },
  'an IPv6 address in another spelling': {
    ip: '2001:db8::1',
    dns: {
      ptr: { '2001:db8::1': ['six.example'] },
      aaaa: { 'six.example': ['2001:0DB8:0:0:0:0:0:1'] },
    },
    is: 'confirmed',
    pointers: ['six.example'],
    confirmed: ['six.example'],
  },
  'an IPv6 address whose name has only an A record': {
    ip: '2001:db8::1',
    dns: { ptr: { '2001:db8::1': ['four.example'] }, a: { 'four.example': [client4] } },
    is: 'unconfirmed',
    pointers: ['four.example'],
  },
}

describe('identify', () => {
  for (const [label, { ip = client4, dns, is, pointers = [], confirmed = [] }] of Object.entries(
    cases,
  )) {
    it(`${label}: ${is}`, async () => {
      const { why, ...identity } = await identify(ipOf(ip), fakeDns(dns), stays())
      assert.deepEqual(identity, { state: is, pointers, confirmed })
      assert.equal(why !== '', is === 'unavailable')
    })
  }

  it('E4: follows no more than eight of forty names', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `host-${index + 10}.example`)
    const dns = fakeDns({ ptr: { [client4]: names }, a: { [names[37] ?? '']: [client4] } })
    const { state, pointers } = await identify(ipOf(client4), dns, stays())
    assert.equal(state, 'unconfirmed')
    assert.equal(pointers.length, 8)
    assert.equal(dns.asked.length, 1 + 8)
  })

  it('follows all names at once', async () => {
    const clock = new FakeClock()
    const names = ['a.example', 'b.example', 'c.example']
    const dns = fakeDns({ ptr: { [client4]: names }, slowMs: 1_000, clock })
    const identity = identify(ipOf(client4), dns, stays())
    await clock.advance(2_000)
    assert.equal((await identity).state, 'unconfirmed')
    assert.equal(clock.sleeping, 0)
  })

  for (const { inMs, because } of [
    { inMs: 500, because: 'during the reverse look-up' },
    { inMs: 1_500, because: 'during the forward look-ups' },
  ]) {
    it(`ends when the client leaves ${because}`, async () => {
      const clock = new FakeClock()
      const client = new AbortController()
      const names = ['a.example', 'b.example']
      const dns = fakeDns({ ptr: { [client4]: names }, slowMs: 1_000, clock })
      const identity = identify(ipOf(client4), dns, client.signal)
      await clock.advance(inMs)
      client.abort(new Error('hung up'))
      await assert.rejects(Promise.resolve(identity), /hung up/)
      assert.equal(clock.sleeping, 0)
    })
  }
})
