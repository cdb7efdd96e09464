/** DNS lists by the operator's own names: what is looked up, what counts, and what allows. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listOptions, listReasons } from '../../src/reasons/dns-lists.ts'
import { reasonsOptions } from '../../src/reasons/index.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, factsOf, senderOf, sharedOf, toolsFor } from './worlds.ts'

const ip = '192.0.2.1'
const zone = 'list.example'

describe('reasons.lists', () => {
  const cases: readonly {
    set: Readonly<Record<string, unknown>>
    records: FakeRecords
    is: readonly (string | null)[]
    because: string
  }[] = [
    {
      set: {},
      records: { a: { [`1.2.0.192.${zone}`]: ['127.0.0.2'] } },
      is: ['connect: listed as 127.0.0.2'],
      because: 'any code counts unless some are named',
    },
    {
      set: { codes: ['127.0.0.4/30'] },
      records: { a: { [`1.2.0.192.${zone}`]: ['127.0.0.2'] } },
      is: ['connect: null'],
      because: 'codes are those that are named',
    },
    {
      set: { of: ['helo', 'sender'] },
      records: {
        a: {
          [`mail.spam.example.${zone}`]: ['127.0.1.2'],
          [`spam.example.${zone}`]: ['127.0.1.3'],
        },
      },
      is: ['helo: mail.spam.example listed as 127.0.1.2', 'mail: spam.example listed as 127.0.1.3'],
      because: 'names are looked up as they are',
    },
    {
      set: { of: ['ptr'] },
      records: {
        ...confirmed(ip, 'dsl.example.net'),
        a: { 'dsl.example.net': [ip], [`dsl.example.net.${zone}`]: ['127.0.1.2'] },
      },
      is: ['connect: dsl.example.net listed as 127.0.1.2'],
      because: 'the names of the client are looked up',
    },
    {
      set: { of: ['ptr'], kind: 'allow' },
      records: {
        ptr: { [ip]: ['dsl.example.net'] },
        a: { [`dsl.example.net.${zone}`]: ['127.0.1.2'] },
      },
      is: ['connect: null'],
      because: 'a name that excuses must be confirmed',
    },
    {
      set: {},
      records: { down: [`1.2.0.192.${zone}`] },
      is: ['connect: null'],
      because: 'a failing DNS proves nothing',
    },
    {
      set: {},
      records: { a: { [`1.2.0.192.${zone}`]: ['127.255.255.254'] } },
      is: ['connect: null'],
      because: 'an error of the list is no listing',
    },
  ]
  for (const { set, records, is, because } of cases) {
    it(`${JSON.stringify(set)}: ${because}`, async () => {
      const dns = fakeDns(records)
      const { openList } = sharedOf({ dns })
      const reasons = listReasons('mine', listOptions.parse({ zone, ...set }), openList)
      const sender = senderOf('a@spam.example')
      const facts = factsOf({ client: ip, helo: 'mail.spam.example', sender })
      const found = reasons.map(
        async ({ stage, find }) => `${stage}: ${await find(facts, toolsFor(ip, dns))}`,
      )
      assert.deepEqual(await Promise.all(found), is)
    })
  }

  it('takes its weight away from every reason when it allows, and no more', () => {
    const { openList } = sharedOf()
    const [allow] = listReasons('good', listOptions.parse({ zone, kind: 'allow' }), openList)
    assert.deepEqual([allow?.name, allow?.excuses, allow?.weight], ['good', ['*'], 5])
    assert.deepEqual(listReasons('x', listOptions.parse({ zone, action: 'off' }), openList), [])
  })

  it('refuses what cannot be', () => {
    for (const set of [
      { zone: '' },
      { zone, of: [] },
      { zone, of: ['address', 'helo'] },
      { zone, codes: ['127.0.0.x'] },
      { zone, kind: 'maybe' },
    ]) {
      assert.equal(listOptions.safeParse(set).success, false, JSON.stringify(set))
    }
    assert.equal(reasonsOptions.safeParse({ lists: { 'My List': { zone } } }).success, false)
  })

  it('of domains is tested by TEST and INVALID (RFC 5782 section 5)', async () => {
    const heard: string[] = []
    const dns = fakeDns({
      a: { [`test.${zone}`]: ['127.0.0.2'], [`invalid.${zone}`]: ['127.0.0.2'] },
    })
    const list = sharedOf({ dns, heard }).openList({
      ...{ name: 'mine', zone, codes: [], ipv6: false },
      of: 'domain',
    })
    await list.check(new AbortController().signal)
    assert.deepEqual(heard, ['set-aside it lists INVALID, which nobody may list'])
    const { kind } = await list.lookupName('spam.example', new AbortController().signal)
    assert.equal(kind, 'unavailable')
  })
})
