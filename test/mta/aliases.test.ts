/** Aliases in reverse DNS, as providers of small networks use them (RFC 2317), and as attackers may (E5). */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../../src/core/clock.ts'
import { parseIp } from '../../src/core/ip.ts'
import { dnsOptions } from '../../src/dns/options.ts'
import { SystemDns } from '../../src/dns/resolver.ts'
import { type DnsServer, startDns } from './servers/dns.ts'

const chain = Array.from({ length: 20 }, (_, index) => `c${index} CNAME c${index + 1}`)
const records = [
  '10 CNAME 10.0-63',
  '10.0-63 PTR mail.example.org.',
  ...['20 CNAME c0', ...chain, 'c20 PTR mail.example.org.'],
  ...['30 CNAME loop', 'loop CNAME 30'],
  '40 CNAME elsewhere.example.com.',
  '50 TXT "a name without a PTR"',
]

describe('E5: an address whose name is an alias', () => {
  let server: DnsServer
  let dns: SystemDns
  before(async () => {
    server = await startDns({ zones: { '2.0.192.in-addr.arpa': records } })
    dns = new SystemDns(dnsOptions.parse({ servers: [server.address] }), systemClock)
  })
  after(async () => {
    dns.close()
    await server.stop()
  })

  const nowhere = { kind: 'unavailable', why: 'an alias that leads nowhere' }
  for (const { last, answer, because } of [
    { last: 10, answer: found('mail.example.org'), because: 'it leads to a name' },
    { last: 20, answer: found('mail.example.org'), because: 'so do twenty in a row' },
    { last: 30, answer: nowhere, because: 'one that leads to itself proves nothing' },
    { last: 40, answer: nowhere, because: 'nor does one to where nobody answers' },
    { last: 50, answer: { kind: 'none' }, because: 'without an alias there is no name' },
    { last: 60, answer: { kind: 'none' }, because: 'where nothing is there is none either' },
  ]) {
    it(`192.0.2.${last}: ${because}`, async () => {
      const ip = parseIp(`192.0.2.${last}`)
      assert.ok(ip)
      assert.deepEqual(await dns.pointers(ip, new AbortController().signal), answer)
    })
  }
})

function found(...records: string[]) {
  return { kind: 'found', records }
}
