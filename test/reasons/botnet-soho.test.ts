/** botnet-soho: who owns a domain may send its mail from any line. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { botnetSoho } from '../../src/reasons/botnet-soho.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { factsOf, senderOf, sharedOf, toolsFor } from './worlds.ts'

const ip = '192.0.2.1'
const line = 'dsl-192-0-2-1.example.net'
const ptr = { [ip]: [line] }

describe('botnet-soho', () => {
  const cases: readonly {
    sender?: string
    helo?: string
    dns: FakeRecords
    is: string | null
    because: string
  }[] = [
    { dns: { a: { 'soho.example': [ip] } }, is: 'soho.example leads to 192.0.2.1', because: 'A' },
    { dns: { a: { 'soho.example': ['192.0.2.2'] } }, is: null, because: 'A, but elsewhere' },
    {
      dns: { mx: { 'soho.example': ['mx.soho.example'] }, a: { 'mx.soho.example': [ip] } },
      is: 'mx.soho.example, a mail host of soho.example, is 192.0.2.1',
      because: 'MX',
    },
    { dns: { mx: { 'soho.example': ['.'] } }, is: null, because: 'a null MX is nobody' },
    {
      sender: 'a@gmail.com',
      helo: 'mail.soho.example',
      dns: { a: { 'mail.soho.example': [ip] } },
      is: 'mail.soho.example leads to 192.0.2.1',
      because: 'HELO will do',
    },
    {
      sender: '',
      helo: 'mail.soho.example',
      dns: { a: { 'mail.soho.example': [ip] } },
      is: 'mail.soho.example leads to 192.0.2.1',
      because: 'HELO will do for a bounce',
    },
    { dns: { down: ['soho.example'] }, is: null, because: 'a failing DNS excuses nobody' },
    {
      sender: `a@${line}`,
      helo: line,
      dns: { a: { [line]: [ip] }, mx: { [line]: [line] } },
      is: null,
      because: 'the name of the line excuses nothing',
    },
  ]
  for (const { sender = 'a@soho.example', helo = 'friend', dns, is, because } of cases) {
    it(`${is ?? 'nothing'}: ${because}`, async () => {
      const { find } = botnetSoho.prepare(botnetSoho.options.parse({}), sharedOf())
      const facts = factsOf({ client: ip, helo, sender: senderOf(sender) })
      assert.equal(await find(facts, toolsFor(ip, fakeDns({ ptr, ...dns }))), is)
    })
  }

  it('asks no more than five mail hosts', async () => {
    const hosts = Array.from({ length: 50 }, (_, index) => `mx${index}.soho.example`)
    const dns = fakeDns({ ptr, mx: { 'soho.example': hosts }, a: { 'mx9.soho.example': [ip] } })
    const { find } = botnetSoho.prepare(botnetSoho.options.parse({}), sharedOf())
    const facts = factsOf({ client: ip, sender: senderOf('a@soho.example') })
    assert.equal(await find(facts, toolsFor(ip, dns)), null)
    assert.equal(dns.asked.filter((question) => /^A mx\d/.test(question)).length, 5)
  })

  it('is about IPv6 as well', async () => {
    const dns = fakeDns({ aaaa: { 'soho.example': ['2001:db8::1'] } })
    const { find } = botnetSoho.prepare(botnetSoho.options.parse({}), sharedOf())
    const facts = factsOf({ client: '2001:db8::1', sender: senderOf('a@soho.example') })
    assert.notEqual(await find(facts, toolsFor('2001:db8::1', dns)), null)
  })
})
