/** Is a client who it says it is: Exim's three ways, without its defects (facts.md 2.3). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HeloVerdict, verifyHelo } from '../../src/reasons/verify-helo.ts'
import { ipOf } from '../dns/worlds.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, toolsFor } from './worlds.ts'

interface Case {
  readonly helo: string
  readonly client?: string
  readonly dns?: FakeRecords
  readonly is: HeloVerdict
  readonly because: string
}

const client4 = '192.0.2.1'
const client6 = '2001:db8::1'
const named = confirmed(client4, 'mail.example')

const cases: readonly Case[] = [
  { helo: '[192.0.2.1]', is: 'verified', because: 'it is the literal of the client' },
  { helo: '[192.0.2.10]', is: 'refuted', because: 'Exim compares the beginning only' },
  { helo: '[192.0.2.199]', is: 'refuted', because: 'Exim compares the beginning only' },
  { helo: '[192.0.2.2]', is: 'refuted', because: 'it is the literal of another address' },
  { helo: '[IPv6:2001:db8::1]', client: client6, is: 'verified', because: 'Exim trips on the tag' },
  {
    helo: '[IPv6:2001:0DB8:0:0:0:0:0:1]',
    client: client6,
    is: 'verified',
    because: 'any spelling of the address counts',
  },
  { helo: '[2001:db8::1]', client: client6, is: 'verified', because: 'it has the address' },
  { helo: '[IPv6:2001:db8::10]', client: client6, is: 'refuted', because: 'of another address' },

  { helo: 'mail.example', dns: named, is: 'verified', because: 'it is the confirmed name' },
  { helo: 'MAIL.Example.', dns: named, is: 'verified', because: 'case and root do not matter' },
  { helo: 'other.example', dns: named, is: 'refuted', because: 'it is another name' },
  {
    helo: 'alias.example',
    dns: {
      ptr: { [client4]: ['mail.example', 'alias.example'] },
      a: { 'mail.example': [client4], 'alias.example': [client4] },
    },
    is: 'verified',
    because: 'it is a confirmed alias',
  },
  {
    helo: 'mail.example',
    dns: { ptr: { [client4]: ['mail.example'] }, a: { 'mail.example': ['198.51.100.1'] } },
    is: 'refuted',
    because: 'anybody can publish such a name for his address',
  },
  {
    helo: 'out.example',
    dns: { a: { 'out.example': ['198.51.100.1', client4] } },
    is: 'verified',
    because: 'the name leads to the client, among others',
  },
  {
    helo: 'out.example',
    client: client6,
    dns: { aaaa: { 'out.example': ['2001:DB8:0::1'] } },
    is: 'verified',
    because: 'so it does in IPv6, in any spelling',
  },
  {
    helo: 'out.example',
    client: client6,
    dns: { a: { 'out.example': [client4] } },
    is: 'refuted',
    because: 'its addresses are of the other family',
  },
  { helo: 'yahoo.com', is: 'refuted', because: 'neither the name nor the address has records' },
  { helo: '', is: 'refuted', because: 'it is no name' },
  { helo: 'no name', is: 'refuted', because: 'it is no name' },

  { helo: 'yahoo.com', dns: { down: ['yahoo.com'] }, is: 'unknown', because: 'the name is down' },
  { helo: 'yahoo.com', dns: { down: [client4] }, is: 'unknown', because: 'reverse DNS is down' },
  {
    helo: 'yahoo.com',
    dns: { ptr: { [client4]: ['a.example'] }, down: ['a.example'] },
    is: 'unknown',
    because: 'its name could not be confirmed nor denied',
  },
  {
    helo: 'out.example',
    dns: { a: { 'out.example': [client4] }, down: [client4] },
    is: 'verified',
    because: 'the name leads to it, whatever reverse DNS would say',
  },
]

describe('verifyHelo', () => {
  for (const { helo, client = client4, dns = {}, is, because } of cases) {
    it(`${JSON.stringify(helo)} is ${is}: ${because}`, async () => {
      const tools = toolsFor(client, fakeDns(dns))
      assert.equal(await verifyHelo(helo, ipOf(client), tools), is)
    })
  }
})
