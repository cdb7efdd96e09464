/** unqual-helo, and where it differs from the pattern of 2004 (facts.md 2.8, row 2). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unqualHelo } from '../../src/reasons/unqual-helo.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, factsOf, sharedOf, type Taste, toolsFor } from './worlds.ts'

const options = unqualHelo.options.parse({})
const client4 = '192.0.2.1'
const client6 = '2001:db8::1'

/** `ours` and `seed`: found by our rule, and by the pattern of 2004. */
const cases = [
  { helo: 'mail.example.org', ours: false, seed: false, because: 'it is a qualified name' },
  { helo: 'MAIL.Example.ORG.', ours: false, seed: false, because: 'the final dot is the root' },
  { helo: 'example.org', ours: false, seed: false, because: 'two labels are enough' },
  { helo: 'a-1.b-2.example', ours: false, seed: false, because: 'hyphens and digits are usual' },
  { helo: '1.2.example.org', ours: false, seed: false, because: 'labels may be numbers' },
  { helo: 'mail.xn--p1ai', ours: false, seed: false, because: 'a top-level domain may be encoded' },
  { helo: 'mail.example.museum', ours: false, seed: false, because: 'one may be long' },

  { helo: 'MarineGuy', ours: true, seed: true, because: 'of the seed: one label' },
  { helo: 'computer', ours: true, seed: true, because: 'of the seed: one label' },
  { helo: 'WIN-VTPUBHNS72V', ours: true, seed: true, because: 'Windows names itself so' },
  { helo: 'localhost', ours: true, seed: true, because: 'everybody is localhost' },
  { helo: '', ours: true, seed: true, because: 'it is nothing' },
  { helo: 'mail.', ours: true, seed: true, because: 'one label and the root' },
  { helo: '.example.org', ours: true, seed: true, because: 'the first label is empty' },
  { helo: 'mail..org', ours: true, seed: true, because: 'a label is empty' },
  { helo: '.', ours: true, seed: true, because: 'there are no labels' },

  { helo: `[${client4}]`, ours: false, seed: true, because: 'RFC 5321 section 4.1.4 asks for it' },
  { helo: '[IPv4:192.0.2.1]', ours: false, seed: true, because: 'Exim reads that as well' },
  { helo: '[192.0.2.10]', ours: true, seed: true, because: 'it is the literal of another address' },
  {
    helo: '[192.0.2.199]',
    ours: true,
    seed: true,
    because: 'it is the literal of another address',
  },
  { helo: '[192.0.2.1', ours: true, seed: true, because: 'it is no literal without the bracket' },
  { helo: '[mail.example.org]', ours: true, seed: true, because: 'a name has no brackets' },
  { helo: '[]', ours: true, seed: true, because: 'it is no literal' },
  {
    helo: '[IPv6:2001:db8::1]',
    client: client6,
    ours: false,
    seed: true,
    because: 'it is the literal of the client',
  },
  {
    helo: '[IPv6:2001:DB8:0:0::1]',
    client: client6,
    ours: false,
    seed: true,
    because: 'it is the same address in another spelling',
  },
  {
    helo: '[2001:db8::1]',
    client: client6,
    ours: false,
    seed: true,
    because: 'the tag is often forgotten',
  },
  {
    helo: '[IPv6:2001:db8::2]',
    client: client6,
    ours: true,
    seed: true,
    because: 'it is the literal of another address',
  },
  {
    helo: `[${client4}]`,
    client: '::ffff:192.0.2.1',
    ours: false,
    seed: true,
    because: 'the socket spells the same address otherwise',
  },

  { helo: client4, ours: true, seed: false, because: 'an address needs brackets' },
  { helo: '203.0.113.9', ours: true, seed: false, because: 'an address needs brackets' },
  { helo: '192.0.2.1.', ours: true, seed: false, because: 'a final dot makes it no name' },
  { helo: client6, client: client6, ours: true, seed: true, because: 'an address needs brackets' },
  { helo: 'localhost.localdomain', ours: true, seed: false, because: 'everybody is that' },
  { helo: 'LocalHost.LocalDomain.', ours: true, seed: false, because: 'everybody is that' },
  { helo: '-.x', ours: true, seed: false, because: 'a label does not begin with a hyphen' },
  { helo: 'a.b', ours: true, seed: false, because: 'no top-level domain has one letter' },
  { helo: 'mail.example.123', ours: true, seed: false, because: 'nor is one a number' },
  { helo: 'mail.example.org/x', ours: true, seed: false, because: 'it ends in rubbish' },
  { helo: 'mail.example. org', ours: true, seed: false, because: 'names have no spaces' },
  { helo: 'a.b@c.example', ours: true, seed: false, because: 'it is a mail address' },

  { helo: 'mail_1.example.org', ours: false, seed: true, because: 'underscores are in daily use' },
  { helo: '_x.example.org', ours: false, seed: true, because: 'underscores are in daily use' },
  { helo: 'bücher.example', ours: false, seed: true, because: 'RFC 6531 allows such names' },
  { helo: 'пример.испытание', ours: false, seed: true, because: 'RFC 6531 allows such names' },
  { helo: 'mail.उदाहरण', ours: false, seed: true, because: 'marks belong to letters' },
]

describe('unqual-helo', () => {
  for (const { helo, client = client4, ours, seed, because } of cases) {
    it(`${JSON.stringify(helo)} is ${ours ? '' : 'not '}found: ${because}`, async () => {
      assert.equal((await find(helo, client)) !== null, ours)
    })
    it(`${JSON.stringify(helo)} is ${seed ? '' : 'not '}found with flavell_exact`, async () => {
      assert.equal((await find(helo, client, { flavellExact: true })) !== null, seed)
    })
  }

  it('says what gave it away', async () => {
    const evidence = {
      MarineGuy: 'HELO MarineGuy is not a qualified domain name',
      '203.0.113.9': 'HELO 203.0.113.9 is an address without brackets',
      '[192.0.2.10]': 'HELO [192.0.2.10] is not the literal of 192.0.2.1',
      localhost: "HELO localhost is the client's own name for itself",
    }
    for (const [helo, said] of Object.entries(evidence)) {
      assert.equal(await find(helo, client4), said)
    }
    assert.equal(await find('MarineGuy', client4, { flavellExact: true }), 'HELO MarineGuy')
  })

  it('tells filters behind the back end, in the words of the recipe', () => {
    const { header } = unqualHelo.prepare(options, sharedOf())
    assert.equal(
      header?.(factsOf({ client: client4, helo: 'MarineGuy' })),
      "X-HELO-warning: That's a nasty HELO: MarineGuy",
    )
  })
})

describe('unqual-helo and helo_accept_junk_hosts', () => {
  const good = confirmed(client4, 'scanner.example')
  const exemptions: readonly (Taste & { records: FakeRecords; found: boolean; because: string })[] =
    [
      { acceptJunk: [client4], records: {}, found: false, because: 'its address is on the list' },
      {
        acceptJunk: ['192.0.2.0/24'],
        records: {},
        found: false,
        because: 'its network is on the list',
      },
      { acceptJunk: ['192.0.2.2'], records: good, found: true, because: 'another address is' },
      {
        acceptJunk: ['scanner.example'],
        records: good,
        found: false,
        because: 'its name is, confirmed',
      },
      { acceptJunk: ['*.example'], records: good, found: false, because: 'its name is below one' },
      {
        acceptJunk: ['scanner.example'],
        records: { ptr: { [client4]: ['scanner.example'] } },
        found: true,
        because: 'a name that excuses must be confirmed, and this one leads nowhere',
      },
      {
        acceptJunk: ['scanner.example'],
        records: { ptr: good.ptr, a: { 'scanner.example': ['198.51.100.1'] } },
        found: true,
        because: 'a name that excuses must be confirmed, and this one leads elsewhere',
      },
      {
        acceptJunk: ['scanner.example'],
        records: { down: [client4] },
        found: true,
        because: 'a list that cannot be asked excuses nobody',
      },
      {
        acceptJunk: ['second.example'],
        records: {
          ptr: { [client4]: ['first.example', 'second.example'] },
          a: { 'first.example': [client4], 'second.example': [client4] },
        },
        found: false,
        because: 'each confirmed name counts',
      },
      {
        acceptJunk: [`!${client4}`, '*'],
        records: {},
        found: true,
        because: 'it is excepted from the exemption',
      },
    ]
  for (const { records, found, because, ...taste } of exemptions) {
    for (const flavellExact of [false, true]) {
      const how = flavellExact ? ' with flavell_exact' : ''
      it(`${found ? 'finds' : 'passes over'} the client${how}: ${because}`, async () => {
        const evidence = await find('MarineGuy', client4, { ...taste, flavellExact }, records)
        assert.equal(evidence !== null, found)
      })
    }
  }

  it('asks DNS only when a name on the list could change the answer', async () => {
    for (const { helo, acceptJunk, asks } of [
      { helo: 'mail.example.org', acceptJunk: ['*.example'], asks: false },
      { helo: 'MarineGuy', acceptJunk: ['203.0.113.9'], asks: false },
      { helo: 'MarineGuy', acceptJunk: [client4, '*.example'], asks: false },
      { helo: 'MarineGuy', acceptJunk: ['*.example'], asks: true },
    ]) {
      const dns = fakeDns(good)
      const { find: judge } = unqualHelo.prepare(options, sharedOf({ acceptJunk }))
      await judge(factsOf({ client: client4, helo }), toolsFor(client4, dns))
      assert.equal(dns.asked.length > 0, asks, `${helo} ${acceptJunk}`)
    }
  })
})

async function find(helo: string, client: string, taste: Taste = {}, dns: FakeRecords = {}) {
  const { find: judge } = unqualHelo.prepare(options, sharedOf(taste))
  return await judge(factsOf({ client: client, helo }), toolsFor(client, fakeDns(dns)))
}
