/** The Received line is RFC 5321 section 4.4, whoever the client says it is (catalogue K14). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseIp } from '../../src/core/ip.ts'
import { headerLine, receivedLine, type Trace } from '../../src/relay/trace.ts'

const usual = {
  client: '192.0.2.1',
  name: 'mail.example.org',
  helo: 'mail.example.org',
  protocol: 'ESMTP',
  by: 'mx.example.net',
  id: 'k3f9',
  recipient: 'bob@example.net',
  at: new Date(Date.UTC(2030, 0, 1, 12, 34, 56)),
}

const froms = [
  { from: 'mail.example.org (mail.example.org [192.0.2.1])', given: {}, because: 'the usual' },
  { from: 'mail.example.org ([192.0.2.1])', given: { name: null }, because: 'no confirmed name' },
  { from: 'unknown (mail.example.org [192.0.2.1])', given: { helo: 'a (b) c' }, because: 'K14' },
  { from: 'unknown (mail.example.org [192.0.2.1])', given: { helo: '' }, because: 'no HELO' },
  {
    from: 'unknown (mail.example.org [192.0.2.1])',
    given: { helo: 'bücher.example' },
    because: '',
  },
  {
    from: 'unknown (mail.example.org [192.0.2.1])',
    given: { helo: 'x\r\nX-Spam: no' },
    because: 'it would begin a line of its own',
  },
  {
    from: '[192.0.2.9] (mail.example.org [192.0.2.1])',
    given: { helo: '[192.0.2.9]' },
    because: 'a literal may stand there',
  },
  {
    from: '[IPv6:2001:db8::9] (mail.example.org [192.0.2.1])',
    given: { helo: '[2001:DB8:0::9]' },
    because: 'a sloppy literal is put right',
  },
  {
    from: 'mail.example.org (mail.example.org [IPv6:2001:db8::1])',
    given: { client: '2001:db8::1' },
    because: 'a client with IPv6',
  },
]

describe('receivedLine', () => {
  it('is exactly this', () => {
    assert.equal(
      receivedLine(traceOf({})),
      'Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n' +
        '\tby mx.example.net (Treacle) with ESMTP id k3f9\r\n' +
        '\tfor <bob@example.net>;\r\n' +
        '\tTue, 01 Jan 2030 12:34:56 +0000\r\n',
    )
  })

  for (const { from, given, because } of froms) {
    it(`from ${from}${because && `: ${because}`}`, () => {
      const [first] = receivedLine(traceOf(given)).split('\r\n')
      assert.equal(first, `Received: from ${from}`)
    })
  }

  const hidden = [
    { recipient: null, because: 'several recipients are not to learn of each other' },
    { recipient: '"a b"@example.net', because: 'a space would end the path for some' },
    { recipient: '"a>b"@example.net', because: 'so would a bracket' },
    { recipient: 'müller@example.net', because: 'the header is ASCII' },
    { recipient: 'a\r\nb@example.net', because: 'it would begin a line' },
  ]
  for (const { recipient, because } of hidden) {
    it(`names no recipient ${JSON.stringify(recipient)}: ${because}`, () => {
      const line = receivedLine(traceOf({ recipient }))
      assert.doesNotMatch(line, /for </)
      assert.match(line, /^Received: [\x20-\x7e]+\r\n(?:\t[\x20-\x7e]+\r\n){2}$/)
    })
  }
})

describe('headerLine', () => {
  const lines = [
    { text: 'X-HELO-warning: computer', line: 'X-HELO-warning: computer\r\n' },
    { text: 'X-A: b\r\nX-Spam: no', line: 'X-A: b??X-Spam: no\r\n' },
    { text: 'X-A: gr\u00fc\u00df\0', line: 'X-A: gr???\r\n' },
    { text: 'X'.repeat(5_000), line: `${'X'.repeat(900)}\r\n` },
  ]
  for (const { text, line } of lines) {
    it(`makes one line of ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.equal(headerLine(text), line)
    })
  }
})

function traceOf(given: Partial<typeof usual> | Partial<Trace>): Trace {
  const { client, ...rest } = { ...usual, ...given }
  const ip = typeof client === 'string' ? parseIp(client) : client
  assert.ok(ip)
  return { ...rest, client: ip }
}
