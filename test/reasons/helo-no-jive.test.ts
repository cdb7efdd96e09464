/** helo-no-jive: who says he is one of the big providers had better be. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heloNoJive } from '../../src/reasons/helo-no-jive.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, factsOf, sharedOf, type Taste, toolsFor } from './worlds.ts'

const client = '192.0.2.1'
const dubious = ['yahoo.com', 'gmail.com']
const lie = `HELO yahoo.com does not lead to ${client}`

interface Case extends Taste {
  readonly helo: string
  readonly records?: FakeRecords
  readonly is: string | null
  readonly because: string
}

const scanner = confirmed(client, 'scanner.example')
const cases: readonly Case[] = [
  { helo: 'yahoo.com', is: lie, because: 'it is somebody else' },
  { helo: 'Yahoo.COM.', is: lie.replace('yahoo.com', 'Yahoo.COM.'), because: 'case is no excuse' },
  { helo: 'mx.yahoo.com', is: null, because: 'lsearch takes whole names' },
  { helo: 'yahoo.com.evil.example', is: null, because: 'lsearch takes whole names' },
  { helo: 'mail.example', is: null, because: 'nobody forges that name' },
  { helo: '[192.0.2.2]', is: null, because: 'a literal is not on the list' },
  {
    helo: 'yahoo.com',
    records: confirmed(client, 'yahoo.com'),
    is: null,
    because: 'it is who it says',
  },
  {
    helo: 'yahoo.com',
    records: { a: { 'yahoo.com': [client] } },
    is: null,
    because: 'the name leads to it',
  },
  {
    helo: 'yahoo.com',
    records: { ptr: { [client]: ['yahoo.com'] }, a: { 'yahoo.com': ['198.51.100.1'] } },
    is: lie,
    because: 'its name is as forged as its HELO',
  },
  {
    helo: 'yahoo.com',
    records: { down: ['yahoo.com'] },
    is: null,
    because: 'a failure proves nothing',
  },
  { helo: 'yahoo.com', records: { down: [client] }, is: null, because: 'a failure proves nothing' },
  { helo: 'yahoo.com', acceptJunk: [client], is: null, because: "its HELO is nobody's business" },
  {
    helo: 'yahoo.com',
    acceptJunk: ['scanner.example'],
    records: scanner,
    is: null,
    because: "the HELO of its confirmed name is nobody's business",
  },
  {
    helo: 'yahoo.com',
    acceptJunk: ['scanner.example'],
    records: { ptr: scanner.ptr },
    is: lie,
    because: 'a name that excuses must be confirmed',
  },
  { helo: 'yahoo.com', acceptJunk: ['192.0.2.2'], is: lie, because: 'another host is exempt' },
  { helo: 'yahoo.com', flavellExact: true, is: lie, because: 'the recipe says the same' },
]

describe('helo-no-jive', () => {
  for (const { helo, records = {}, is, because, ...taste } of cases) {
    it(`${helo}: ${is === null ? 'nothing' : 'found'}, because ${because}`, async () => {
      assert.equal(await find(helo, { dubious, ...taste }, records), is)
    })
  }

  it('has nothing to say without a list', async () => {
    const { find: judge } = heloNoJive.prepare(
      heloNoJive.options.parse({ names: '' }),
      sharedOf({ dubious }),
    )
    const facts = factsOf({ client, helo: 'yahoo.com' })
    assert.equal(await judge(facts, toolsFor(client)), null)
  })

  it('asks DNS only about names on the list', async () => {
    const dns = fakeDns()
    const { find: judge } = heloNoJive.prepare(
      heloNoJive.options.parse({}),
      sharedOf({ dubious, acceptJunk: ['*.example'] }),
    )
    await judge(factsOf({ client, helo: 'mail.test' }), toolsFor(client, dns))
    assert.deepEqual(dns.asked, [])
    await judge(factsOf({ client, helo: 'gmail.com' }), toolsFor(client, dns))
    assert.deepEqual([...dns.asked].sort(), ['A gmail.com', `PTR ${client}`])
  })

  it('tells filters behind the back end, in the words of the recipe', () => {
    const { header } = heloNoJive.prepare(heloNoJive.options.parse({}), sharedOf())
    assert.equal(
      header?.(factsOf({ client, helo: 'yahoo.com' })),
      'X-HELO-dubious: Your HELO/EHLO does not jive',
    )
  })
})

async function find(helo: string, taste: Taste, records: FakeRecords) {
  const { find: judge } = heloNoJive.prepare(heloNoJive.options.parse({}), sharedOf(taste))
  return await judge(factsOf({ client, helo }), toolsFor(client, fakeDns(records)))
}
