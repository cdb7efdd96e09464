/** unqual-helo, and where it differs from the pattern of 2004 (facts.md 2.8, row 2). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unqualHelo } from '../../src/reasons/unqual-helo.ts'
import { ipOf } from '../dns/worlds.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, sharedOf, type Taste, toolsFor } from './worlds.ts'

const options = unqualHelo.options.parse({})
const client4 = '192.0.2.1'
const client6 = '2001:db8::1'

/** `now` and `then`: found by our rule, and by the pattern of 2004. */
const cases = [
  { helo: 'mail.example.org', now: false, then: false, because: 'it is a qualified name' },
  { helo: 'MAIL.Example.ORG.', now: false, then: false, because: 'the final dot is the root' },
  { helo: 'example.org', now: false, then: false, because: 'two labels are enough' },
  { helo: 'a-1.b-2.example', now: false, then: false, because: 'hyphens and digits are usual' },
  { helo: '1.2.example.org', now: false, then: false, because: 'labels may be numbers' },
  { helo: 'mail.xn--p1ai', now: false, then: false, because: 'a top-level domain may be encoded' },
  { helo: 'mail.example.museum', now: false, then: false, because: 'one may be long' },

  { helo: 'MarineGuy', now: true, then: true, because: 'of the seed: one label' },
  { helo: 'computer', now: true, then: true, because: 'of the seed: one label' },
  { helo: 'WIN-VTPUBHNS72V', now: true, then: true, because: 'Windows names itself so' },
  { helo: 'localhost', now: true, then: true, because: 'everybody is localhost' },
  { helo: '', now: true, then: true, because: 'it is nothing' },
  { helo: 'mail.', now: true, then: true, because: 'one label and the root' },
  { helo: '.example.org', now: true, then: true, because: 'the first label is empty' },
  { helo: 'mail..org', now: true, then: true, because: 'a label is empty' },
  { helo: '.', now: true, then: true, because: 'there are no labels' },

  { helo: `[${client4}]`, now: false, then: true, because: 'RFC 5321 section 4.1.4 asks for it' },
  { helo: '[IPv4:192.0.2.1]', now: false, then: true, because: 'Exim reads that as well' },
  { helo: '[192.0.2.10]', now: true, then: true, because: 'it is the literal of another address' },
  { helo: '[192.0.2.199]', now: true, then: true, because: 'it is the literal of another address' },
  { helo: '[192.0.2.1', now: true, then: true, because: 'it is no literal without the bracket' },
  { helo: '[mail.example.org]', now: true, then: true, because: 'a name has no brackets' },
  { helo: '[]', now: true, then: true, because: 'it is no literal' },
  {
    helo: '[IPv6:2001:db8::1]',
    client: client6,
    now: false,
    then: true,
    because: 'it is the literal of the client',
  },
  {
    helo: '[IPv6:2001:DB8:0:0::1]',
    client: client6,
    now: false,
    then: true,
    because: 'it is the same address in another spelling',
  },
  {
    helo: '[2001:db8::1]',
    client: client6,
    now: false,
    then: true,
    because: 'the tag is often forgotten',
  },
  {
    helo: '[IPv6:2001:db8::2]',
    client: client6,
    now: true,
    then: true,
    because: 'it is the literal of another address',
  },
  {
    helo: `[${client4}]`,
    client: '::ffff:192.0.2.1',
    now: false,
    then: true,
    because: 'the socket spells the same address otherwise',
  },

  { helo: client4, now: true, then: false, because: 'an address needs brackets' },
  { helo: '203.0.113.9', now: true, then: false, because: 'an address needs brackets' },
  { helo: '192.0.2.1.', now: true, then: false, because: 'a final dot makes it no name' },
  { helo: client6, client: client6, now: true, then: true, because: 'an address needs brackets' },
  { helo: 'localhost.localdomain', now: true, then: false, because: 'everybody is that' },
  { helo: 'LocalHost.LocalDomain.', now: true, then: false, because: 'everybody is that' },
  { helo: '-.x', now: true, then: false, because: 'a label does not begin with a hyphen' },
  { helo: 'a.b', now: true, then: false, because: 'no top-level domain has one letter' },
  { helo: 'mail.example.123', now: true, then: false, because: 'nor is one a number' },
  { helo: 'mail.example.org/x', now: true, then: false, because: 'it ends in rubbish' },
  { helo: 'mail.example. org', now: true, then: false, because: 'names have no spaces' },
  { helo: 'a.b@c.example', now: true, then: false, because: 'it is a mail address' },

  { helo: 'mail_1.example.org', now: false, then: true, because: 'underscores are in daily use' },
  { helo: '_x.example.org', now: false, then: true, because: 'underscores are in daily use' },
  { helo: 'bücher.example', now: false, then: true, because: 'RFC 6531 allows such names' },
  { helo: 'пример.испытание', now: false, then: true, because: 'RFC 6531 allows such names' },
  { helo: 'mail.उदाहरण', now: false, then: true, because: 'marks belong to letters' },
]

describe('unqual-helo', () => {
  for (const { helo, client = client4, now, then, because } of cases) {
    it(`${JSON.stringify(helo)} is ${now ? '' : 'not '}found: ${because}`, async () => {
      assert.equal((await find(helo, client)) !== null, now)
    })
    it(`${JSON.stringify(helo)} is ${then ? '' : 'not '}found with flavell_exact`, async () => {
      assert.equal((await find(helo, client, { flavellExact: true })) !== null, then)
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
      header?.({ client: ipOf(client4), helo: 'MarineGuy' }),
      "X-HELO-warning: That's a nasty HELO: MarineGuy",
    )
  })
})

describe('unqual-helo and helo_accept_junk_hosts', () => {
  const good = confirmed(client4, 'scanner.example')
  const exemptions: readonly (Taste & { dns: FakeRecords; found: boolean; because: string })[] = [
    { acceptJunk: [client4], dns: {}, found: false, because: 'its address is on the list' },
    { acceptJunk: ['192.0.2.0/24'], dns: {}, found: false, because: 'its network is on the list' },
    { acceptJunk: ['192.0.2.2'], dns: good, found: true, because: 'another address is' },
    { acceptJunk: ['scanner.example'], dns: good, found: false, because: 'its name is, confirmed' },
    { acceptJunk: ['*.example'], dns: good, found: false, because: 'its name is below one' },
    {
      acceptJunk: ['scanner.example'],
      dns: { ptr: { [client4]: ['scanner.example'] } },
      found: true,
      because: 'a name that excuses must be confirmed, and this one leads nowhere',
    },
    {
      acceptJunk: ['scanner.example'],
      dns: { ptr: good.ptr, a: { 'scanner.example': ['198.51.100.1'] } },
      found: true,
      because: 'a name that excuses must be confirmed, and this one leads elsewhere',
    },
    {
      acceptJunk: ['scanner.example'],
      dns: { down: [client4] },
      found: true,
      because: 'a list that cannot be asked excuses nobody',
    },
    {
      acceptJunk: ['second.example'],
      dns: {
        ptr: { [client4]: ['first.example', 'second.example'] },
        a: { 'first.example': [client4], 'second.example': [client4] },
      },
      found: false,
      because: 'each confirmed name counts',
    },
    {
      acceptJunk: [`!${client4}`, '*'],
      dns: {},
      found: true,
      because: 'it is excepted from the exemption',
    },
  ]
  for (const { dns, found, because, ...taste } of exemptions) {
    for (const flavellExact of [false, true]) {
      const how = flavellExact ? ' with flavell_exact' : ''
      it(`${found ? 'finds' : 'passes over'} the client${how}: ${because}`, async () => {
        const evidence = await find('MarineGuy', client4, { ...taste, flavellExact }, dns)
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
      await judge({ client: ipOf(client4), helo }, toolsFor(client4, dns))
      assert.equal(dns.asked.length > 0, asks, `${helo} ${acceptJunk}`)
    }
  })
})

async function find(helo: string, client: string, taste: Taste = {}, dns: FakeRecords = {}) {
  const { find: judge } = unqualHelo.prepare(options, sharedOf(taste))
  return await judge({ client: ipOf(client), helo }, toolsFor(client, fakeDns(dns)))
}
