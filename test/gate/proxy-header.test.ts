/** PROXY headers: which bytes are one, which are none, and what a socket makes of them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ProxyHeaderParse, parseProxyHeader } from '../../src/gate/proxy-header.ts'
import { proxyV1, proxyV2, v2Body } from '../helpers/proxied.ts'

const four = [192, 0, 2, 1]
const six = [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1]
const mapped = [...Array<number>(10).fill(0), 255, 255, ...four]
const tcp4 = { family: 0x11, body: v2Body([four, 40_000], [[192, 0, 2, 25], 25]) }
const tcp6 = { family: 0x21, body: v2Body([six, 65_535], [six, 0]) }
const tcp4Mapped = { family: 0x21, body: v2Body([mapped, 1], [mapped, 25]) }
const v4From = '192.0.2.1:40000 192.0.2.25:25'
const longestV6 = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'

function with520(parts: { family: number; body: Buffer }): Buffer {
  return proxyV2({
    ...parts,
    body: Buffer.concat([parts.body, Buffer.alloc(520 - parts.body.length)]),
  })
}

describe('parseProxyHeader', () => {
  const good: readonly { header: string | Buffer; means: string; because: string }[] = [
    { header: proxyV1(['192.0.2.1', 40_000], ['192.0.2.25', 25]), means: v4From, because: 'IPv4' },
    {
      header: 'PROXY TCP6 2001:DB8::1 2001:db8:0::2 65535 0\r\n',
      means: '2001:db8::1:65535 2001:db8::2:0',
      because: 'IPv6, in its one spelling',
    },
    {
      header: `PROXY TCP6 ${longestV6} ${longestV6} 65535 65535\r\n`,
      means: `${longestV6}:65535 ${longestV6}:65535`,
      because: 'the longest of TCP6',
    },
    {
      header: 'PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.25 40000 25\r\n',
      means: v4From,
      because: 'IPv4 on a socket for both, as HAProxy writes it',
    },
    {
      header: 'PROXY TCP4 127.0.0.1 10.0.0.1 1 25\r\n',
      means: '127.0.0.1:1 10.0.0.1:25',
      because: 'I12: a private address is an address like others',
    },
    { header: 'PROXY UNKNOWN\r\n', means: 'itself', because: 'nobody knows' },
    { header: 'PROXY UNKNOWN a b\0c\r\n', means: 'itself', because: 'the rest is to be ignored' },
    {
      header: `PROXY UNKNOWN ${'*'.repeat(91)}\r\n`,
      means: 'itself',
      because: '107 bytes are the most',
    },
    { header: proxyV2(tcp4), means: v4From, because: 'I9: version 2, IPv4' },
    {
      header: proxyV2(tcp6),
      means: '2001:db8::1:65535 2001:db8::1:0',
      because: 'version 2, IPv6',
    },
    {
      header: proxyV2(tcp4Mapped),
      means: '192.0.2.1:1 192.0.2.1:25',
      because: 'version 2, IPv4 within IPv6',
    },
    { header: with520(tcp4), means: v4From, because: '536 bytes are the most; extensions skipped' },
    { header: proxyV2({ command: 0x20 }), means: 'itself', because: 'LOCAL, a health check' },
    {
      header: proxyV2({ command: 0x20, family: 0x31, body: Buffer.alloc(216) }),
      means: 'itself',
      because: 'LOCAL, of whatever family',
    },
    { header: proxyV2({ family: 0 }), means: 'itself', because: 'unspecified' },
    {
      header: proxyV2({ family: 0, body: Buffer.alloc(9) }),
      means: 'itself',
      because: 'unspecified, with extensions',
    },
  ]
  for (const { header, means, because } of good) {
    const bytes = Buffer.from(header)
    it(`takes ${shown(bytes)}: ${because}`, () => {
      assert.equal(meaning(parseProxyHeader(bytes)), `${bytes.length} ${means}`)
    })

    it(`waits for the rest, and leaves what follows: ${because}`, () => {
      for (let cut = 0; cut < bytes.length; cut += 1) {
        assert.equal(meaning(parseProxyHeader(bytes.subarray(0, cut))), 'need-more', `${cut}`)
      }
      const followed = Buffer.concat([bytes, Buffer.from('EHLO a\r\nPROXY UNKNOWN\r\n')])
      assert.equal(meaning(parseProxyHeader(followed)), `${bytes.length} ${means}`)
    })
  }

  const bad: readonly { header: string | Buffer; because: string }[] = [
    { header: 'EHLO a\r\n', because: 'I3: no header' },
    { header: 'P\r\n', because: 'no header, as of the second byte' },
    { header: 'proxy TCP4 192.0.2.1 192.0.2.25 1 25\r\n', because: 'small letters' },
    { header: 'PROXY TCP4 999.8.8.8 192.0.2.25 1 25\r\n', because: 'I6: no address' },
    { header: 'PROXY TCP4 192.0.2.01 192.0.2.25 1 25\r\n', because: 'a zero in front of a byte' },
    { header: 'PROXY TCP4 192.0.2 192.0.2.25 1 25\r\n', because: 'three bytes' },
    { header: 'PROXY TCP6 1.2.3.4 1.2.3.4 1 25\r\n', because: 'I6: IPv4 as TCP6' },
    { header: 'PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n', because: 'IPv6 as TCP4' },
    { header: 'PROXY TCP4 192.0.2.1 2001:db8::2 1 25\r\n', because: 'I6: mixed families' },
    { header: 'PROXY TCP6 fe80::1%eth0 fe80::2 1 25\r\n', because: 'a zone' },
    { header: 'PROXY TCP6 ::1::2 ::3 1 25\r\n', because: 'not an IPv6 address' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 02501 25\r\n', because: 'I6: a zero before a port' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 1 65536\r\n', because: 'no port' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 +1 25\r\n', because: 'a sign' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 -1 25\r\n', because: 'less than none' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 1 0x19\r\n', because: 'hexadecimal' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 1\r\n', because: 'a port is missing' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 1 25 \r\n', because: 'a space at the end' },
    { header: 'PROXY TCP4  192.0.2.1 192.0.2.25 1 25\r\n', because: 'I6: two spaces' },
    { header: 'PROXY TCP4\t192.0.2.1 192.0.2.25 1 25\r\n', because: 'a tab' },
    { header: 'PROXY TCP5 192.0.2.1 192.0.2.25 1 25\r\n', because: 'no such family' },
    { header: 'PROXY UDP4 192.0.2.1 192.0.2.25 1 25\r\n', because: 'not TCP' },
    { header: 'PROXY UNKNOWNS\r\n', because: 'not a word of the protocol' },
    { header: 'PROXY \r\n', because: 'nothing' },
    { header: `PROXY UNKNOWN ${'*'.repeat(100)}\r\n`, because: 'I7: over 107 bytes' },
    { header: `PROXY UNKNOWN ${'*'.repeat(92)}\r\n`, because: '108 bytes' },
    { header: `PROXY UNKNOWN ${'*'.repeat(93)}`, because: '107 bytes without an end' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 1 25\nEHLO a\r\n', because: 'I8: LF only' },
    { header: 'PROXY TCP4 192.0.2.1 192.0.2.25 1 25\rEHLO a\r\n', because: 'CR only' },
    { header: 'PROXY UNKNOWN a\rb\r\n', because: 'CR within' },
    { header: 'PROXY UNKNOWN \r\r\n', because: 'two CR' },
    { header: '\r\n\r\nEHLO a\r\n', because: 'empty lines' },
    { header: proxyV2({ ...tcp4, command: 0x31 }), because: 'version 3' },
    { header: proxyV2({ ...tcp4, command: 0x11 }), because: 'version 1' },
    { header: proxyV2({ ...tcp4, command: 0x22 }), because: 'no such command' },
    { header: proxyV2({ ...tcp4, family: 0x12 }), because: 'UDP' },
    { header: proxyV2({ ...tcp6, family: 0x22 }), because: 'UDP over IPv6' },
    { header: proxyV2({ ...tcp4, family: 0x10 }), because: 'IPv4, transport not said' },
    { header: proxyV2({ ...tcp4, family: 0x01 }), because: 'TCP, family not said' },
    { header: proxyV2({ family: 0x31, body: Buffer.alloc(216) }), because: 'a unix socket' },
    { header: proxyV2({ ...tcp4, family: 0x41 }), because: 'no such family' },
    { header: proxyV2({ ...tcp4, length: 11 }), because: 'shorter than IPv4' },
    { header: proxyV2({ ...tcp4, length: 0 }), because: 'without addresses' },
    { header: proxyV2({ ...tcp6, length: 35 }), because: 'shorter than IPv6' },
    { header: proxyV2({ ...tcp4, length: 521 }), because: 'over 536 bytes' },
    { header: proxyV2({ command: 0x20, length: 65_535 }), because: 'LOCAL, over 536 bytes' },
  ]
  for (const { header, because } of bad) {
    const bytes = Buffer.from(header)
    it(`refuses ${shown(bytes)}: ${because}`, () => {
      assert.equal(parseProxyHeader(bytes).kind, 'bad')
    })

    it(`takes no part of it for a header: ${because}`, () => {
      const kinds = Array.from(bytes, (_, cut) => parseProxyHeader(bytes.subarray(0, cut)).kind)
      assert.ok(!kinds.includes('header'), kinds.join())
      const first = kinds.indexOf('bad')
      if (first !== -1) assert.deepEqual([...new Set(kinds.slice(first))], ['bad'])
    })
  }
})

/** "44 192.0.2.1:40000 192.0.2.25:25": the length, who, and where to. */
function meaning(parsed: ProxyHeaderParse): string {
  if (parsed.kind !== 'header') return parsed.kind
  const { length, source, destination } = parsed
  const places = [source, destination].flatMap((place) =>
    place === null ? [] : `${place.ip.text}:${place.port}`,
  )
  return `${length} ${places.length === 0 ? 'itself' : places.join(' ')}`
}

function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1'))
  return text.length > 70 ? `${text.slice(0, 70)}...` : text
}
