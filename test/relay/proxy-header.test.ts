/** PROXY headers out: to the letter of HAProxy's text, and understood by our own strict reader. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseIp } from '../../src/core/ip.ts'
import { parseProxyHeader } from '../../src/gate/proxy-header.ts'
import { type Ends, proxyHeader } from '../../src/relay/proxy-header.ts'

const cases = [
  {
    ends: endsOf('203.0.113.7', 54_321, '192.0.2.25', 25),
    v1: 'PROXY TCP4 203.0.113.7 192.0.2.25 54321 25\r\n',
    v2: '2111000ccb007107c0000219d4310019',
    because: 'IPv4',
  },
  {
    ends: endsOf('2001:db8::7', 1, '2001:db8::25', 65_535),
    v1: 'PROXY TCP6 2001:db8::7 2001:db8::25 1 65535\r\n',
    v2: '2121002420010db800000000000000000000000720010db80000000000000000000000250001ffff',
    because: 'IPv6',
  },
  {
    ends: endsOf('2001:db8::7', 1, '192.0.2.25', 25),
    v1: 'PROXY TCP6 2001:db8::7 :: 1 25\r\n',
    v2: `2121002420010db8000000000000000000000007${'00'.repeat(16)}00010019`,
    because: 'a header has one family',
  },
  {
    ends: endsOf('203.0.113.7', 1, '', 25),
    v1: 'PROXY TCP4 203.0.113.7 0.0.0.0 1 25\r\n',
    v2: '2111000ccb0071070000000000010019',
    because: 'nobody knows where it came in',
  },
]

describe('proxyHeader', () => {
  for (const { ends, v1, v2, because } of cases) {
    it(`${v1.trim()}: ${because}`, () => {
      assert.equal(proxyHeader('proxy-v1', ends).toString(), v1)
      const second = proxyHeader('proxy-v2', ends).toString('hex')
      assert.equal(second, `0d0a0d0a000d0a515549540a${v2}`)
    })

    it(`is read as it was meant: ${because}`, () => {
      for (const version of ['proxy-v1', 'proxy-v2'] as const) {
        const read = parseProxyHeader(proxyHeader(version, ends))
        assert.ok(read.kind === 'header', JSON.stringify(read))
        assert.equal(read.source?.ip.text, ends.ip.text)
        assert.equal(read.source?.port, ends.port)
        assert.equal(read.destination?.port, ends.local.port)
      }
    })
  }
})

function endsOf(from: string, port: number, to: string, toPort: number): Ends {
  const ip = parseIp(from)
  assert.ok(ip)
  return { ip, port, local: { address: to, port: toPort } }
}
