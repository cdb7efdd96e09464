/** sorbs-dul: which answers of which list speak against a client, and which never do. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sorbsDul } from '../../src/reasons/sorbs-dul.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { factsOf, sharedOf, toolsFor } from './worlds.ts'

const client = '192.0.2.1'
const nibbles = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'

interface Case {
  readonly answer: readonly string[]
  readonly settings?: Readonly<Record<string, unknown>>
  readonly is: string | null
  readonly because: string
}

const any = { codes: [] }
const cases: readonly Case[] = [
  { answer: [], is: null, because: 'it is not listed' },
  { answer: ['127.0.0.10'], is: 'listed as 127.0.0.10', because: 'its ISP says so (PBL)' },
  { answer: ['127.0.0.11'], is: 'listed as 127.0.0.11', because: 'Spamhaus says so (PBL)' },
  {
    answer: ['127.0.0.4', '127.0.0.10', '127.0.0.11'],
    is: 'listed as 127.0.0.10, 127.0.0.11',
    because: 'only the codes that count are evidence',
  },
  { answer: ['127.0.0.2'], is: null, because: 'that is another list of the same zone' },
  { answer: ['127.0.0.4'], is: null, because: 'that is another list of the same zone' },
  { answer: ['127.255.255.254'], is: null, because: 'the list refuses to answer our resolver' },
  { answer: ['127.255.255.252'], is: null, because: 'the name of the zone is wrong' },
  { answer: ['127.255.255.255'], is: null, because: 'we ask too much' },
  { answer: ['127.255.255.254'], settings: any, is: null, because: 'an error is never a listing' },
  { answer: ['203.0.113.80'], settings: any, is: null, because: 'a dealer parks the domain' },
  { answer: ['127.0.0.2'], settings: any, is: 'listed as 127.0.0.2', because: 'any code counts' },
  {
    answer: ['127.0.0.36'],
    settings: { codes: ['127.0.0.36'] },
    is: 'listed as 127.0.0.36',
    because: 'codes are those of the zone',
  },
  {
    answer: ['127.0.0.10'],
    settings: { codes: ['127.0.0.36'] },
    is: null,
    because: 'codes are those of the zone',
  },
]

describe('sorbs-dul', () => {
  for (const { answer, settings = {}, is, because } of cases) {
    it(`[${answer}] with ${JSON.stringify(settings)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const zone = 'pbl.spamhaus.org'
      assert.equal(await find({ a: { [`1.2.0.192.${zone}`]: answer } }, settings), is)
    })
  }

  it('takes a failing DNS for no evidence', async () => {
    assert.equal(await find({ down: ['1.2.0.192.pbl.spamhaus.org'] }), null)
  })

  it('asks the zone it is told, keys included, and keeps the key to itself', async () => {
    const zone = 'secretkeysecretkeysecretkey.pbl.dq.spamhaus.net'
    const dns = { a: { [`1.2.0.192.${zone}`]: ['127.0.0.10'] } }
    assert.equal(await find(dns, { zone }), 'listed as 127.0.0.10')
  })

  it('asks about IPv6 unless it is told not to', async () => {
    const a = { [`${nibbles}.pbl.spamhaus.org`]: ['127.0.0.11'] }
    assert.equal(await find({ a }, {}, '2001:db8::1'), 'listed as 127.0.0.11')
    assert.equal(await find({ a }, { ipv6: false }, '2001:db8::1'), null)
  })

  it('asks nothing about addresses that are nobody in particular', async () => {
    const dns = fakeDns({ a: { '1.0.0.10.pbl.spamhaus.org': ['127.0.0.10'] } })
    const { find: judge } = sorbsDul.prepare(sorbsDul.options.parse({}), sharedOf({ dns }))
    assert.equal(await judge(factsOf({ client: '10.0.0.1' }), toolsFor('10.0.0.1', dns)), null)
    assert.deepEqual(dns.asked, [])
  })

  it('refuses codes that are no addresses, and an empty zone', () => {
    for (const code of ['127.0.0.x', '10.0.0.1', '127']) {
      assert.equal(sorbsDul.options.safeParse({ codes: [code] }).success, false, code)
    }
    assert.equal(sorbsDul.options.safeParse({ zone: '' }).success, false)
  })
})

async function find(
  records: FakeRecords,
  settings: Readonly<Record<string, unknown>> = {},
  ip = client,
) {
  const dns = fakeDns(records)
  const { find: judge } = sorbsDul.prepare(sorbsDul.options.parse(settings), sharedOf({ dns }))
  return await judge(factsOf({ client: ip }), toolsFor(ip, dns))
}
