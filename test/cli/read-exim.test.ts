/** Main logs of Exim. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { brief, collect } from './collect.ts'

const day = '2026-01-31'

/** One line a case, and the one connection that it tells of. */
const cases = [
  {
    line: '1ahr79-0006jK-G9 <= a@example.org H=mail.example.org [192.0.2.1] P=esmtps S=1 for b@example.net c@example.net',
    told: 'accepted 192.0.2.1 mail.example.org(verified) HELO mail.example.org from a@example.org to b@example.net,c@example.net',
    because: 'HELO is left out where it is the verified name',
  },
  {
    line: '1ahr79-0006jK-G9 <= <> H=(box) [192.0.2.1]:4321 I=[192.0.2.9]:25 P=smtp S=1',
    told: 'accepted 192.0.2.1 (unknown) HELO box from  to ',
    because: 'a null sender, and ports',
  },
  {
    line: '1ahr79-0006jK-G9 <= a@b.example H=[192.0.2.1] P=esmtp S=1',
    told: 'accepted 192.0.2.1 (unknown) HELO [192.0.2.1] from a@b.example to ',
    because: "HELO is left out where it is the literal of the client's own address",
  },
  {
    line: '1ahr79-0006jK-G9 <= a@b.example H=m.example [2001:db8::1] P=esmtp T="to you for x@y.example" S=1',
    told: 'accepted 2001:db8::1 m.example(verified) HELO m.example from a@b.example to ',
    because: 'a subject is no recipient',
  },
  {
    line: 'H=(one two) [192.0.2.1] F=<a@b.example> rejected RCPT <c@d.example>: no such user',
    told: 'refused 192.0.2.1 (unknown) HELO one two from a@b.example to c@d.example',
    because: 'a refusal',
  },
  {
    line: '[77] H=(y.example) [192.0.2.1]:3755 I=[192.0.2.9]:25 F=a@b.example rejected RCPT c@d.example: relay not permitted',
    told: 'refused 192.0.2.1 (unknown) HELO y.example from a@b.example to c@d.example',
    because: 'addresses without angle brackets',
  },
  {
    line: 'H=d.example (box) [192.0.2.1] Warning: Treacle: 192.0.2.1 (d.example) - reason: unqual-helo - sender is a@b.example - for c@d.example - delay was 90 secs',
    told: 'no mail 192.0.2.1 d.example(verified) HELO box from a@b.example to c@d.example',
    because: 'a line of our own',
  },
  {
    line: 'SMTP protocol error in "AUTH H=(x) [198.51.100.1]" H=(real) [192.0.2.1] AUTH command used when not advertised',
    told: 'no mail 192.0.2.1 (unknown) HELO real from null to ',
    because: 'what a stranger says in quotation marks is not where he comes from',
  },
  {
    line: 'login authenticator failed for h.example (User) [192.0.2.1]: 535 Incorrect authentication data',
    told: 'no mail 192.0.2.1 h.example(verified) HELO User from null to ',
    because: 'a password that was wrong',
  },
]

/** Lines that tell of no client from outside. */
const others = [
  '1ahr79-0006jK-G9 => a@b.example R=dnslookup T=remote_smtp H=mx.b.example [192.0.2.1] C="250 OK"',
  '1ahr79-0006jK-G9 ** a@b.example: retry timeout exceeded',
  '1ahr79-0006jK-G9 H=mx.b.example [192.0.2.1] Connection timed out',
  '1ahr79-0006jK-G9 H=mx.b.example [192.0.2.1]: SMTP error from remote mail server after MAIL: 452 rejected',
  '1ahr79-0006jK-G9 <= root@here.example U=root P=local S=1',
  '1ahr79-0006jK-G9 <= a@b.example H=localhost [127.0.0.1] P=esmtp S=1',
  'H=(u) [192.0.2.1]:99 I=[192.0.2.9]:587 F=<a@b.example> rejected RCPT <c@d.example>: no',
  'Start queue run: pid=1',
]

describe('a main log of Exim', () => {
  for (const { line, told, because } of cases) {
    it(`tells: ${because}`, () => {
      const { connections, bad } = collect('exim', [`${day} 12:00:00 ${line}`])
      assert.deepEqual([connections.map(brief), bad], [[told], []])
    })
  }

  for (const line of others) {
    it(`has lines of others: ${line}`, () => {
      const { connections, bad } = collect('exim', [`${day} 12:00:00 ${line}`])
      assert.deepEqual([connections, bad], [[], []])
    })
  }

  it('puts lines about one connection together', () => {
    const { connections } = collect('exim', [
      `${day} 12:00:00 no host name found for IP address 192.0.2.1`,
      `${day} 12:00:01 H=(box) [192.0.2.1] F=<a@b.example> rejected RCPT <c@d.example>: no`,
      `${day} 12:00:03 H=(box) [192.0.2.1] F=<a@b.example> rejected RCPT <e@d.example>: no`,
      `${day} 12:00:04 no MAIL in SMTP connection from (box) [192.0.2.1] D=1s`,
      `${day} 12:00:04 SMTP connection from (box) [192.0.2.1] closed by QUIT`,
      `${day} 12:09:00 H=(box) [192.0.2.1] F=<a@b.example> rejected RCPT <c@d.example>: no`,
    ])
    assert.deepEqual(connections.map(brief), [
      'refused 192.0.2.1 (none) HELO box from a@b.example to c@d.example,e@d.example',
      'refused 192.0.2.1 (none) HELO box from a@b.example to c@d.example',
    ])
  })

  it('keeps connections apart that have numbers', () => {
    const lines = ['Ci=1', 'Ci=2', 'Ci=1'].map(
      (number) =>
        `${day} 12:00:00 H=(box) [192.0.2.1] ${number} F=<a@b.example> rejected RCPT <c@d.example>: no`,
    )
    assert.equal(collect('exim', lines).connections.length, 2)
  })

  it('learns which names lead nowhere', () => {
    const { connections } = collect('exim', [
      `${day} 12:00:00 no IP address found for host Bad.example (during SMTP connection from [192.0.2.1])`,
      `${day} 12:00:00 H=(box) [192.0.2.1] rejected MAIL <a@b.example>`,
      `${day} 12:00:00 192.0.2.2 does not match any IP address for other.example`,
      `${day} 12:00:00 H=(box) [192.0.2.2] rejected MAIL <a@b.example>`,
    ])
    assert.deepEqual(connections.map(brief), [
      'refused 192.0.2.1 bad.example(unverified) HELO box from a@b.example to ',
      'refused 192.0.2.2 other.example(unverified) HELO box from a@b.example to ',
    ])
  })

  it('notes who talked before the greeting, and who had logged in', () => {
    const { connections } = collect('exim', [
      `${day} 12:00:00 SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from H=[192.0.2.1] input="GET / HTTP/1.1\\r\\n"`,
      `${day} 12:00:00 1ahr79-0006jK-G9 <= a@b.example H=(me) [192.0.2.2] P=esmtpsa A=plain:me S=1`,
    ])
    assert.deepEqual(
      connections.map(({ earlyTalk, authenticated }) => [earlyTalk, authenticated]),
      [
        ['GET / HTTP/1.1\\r\\n', false],
        [null, true],
      ],
    )
  })

  it('says what it expected where it cannot read on', () => {
    const { bad } = collect('exim', [
      'garbage',
      `${day} 12:00:00 H=(box) [no address] rejected RCPT <c@d.example>`,
    ])
    assert.deepEqual(bad, [
      '1: a time stamp such as "2024-01-31 12:00:00"',
      '2: a client such as "H=mail.example.org (helo.name) [192.0.2.1]"',
    ])
  })

  it('reads a real one', () => {
    const text = readFileSync(join(import.meta.dirname, 'samples/exim-exporter.log'), 'utf8')
    const { connections, bad } = collect('exim', text.split('\n'))
    assert.deepEqual(bad, [])
    assert.deepEqual(connections.map(brief), [
      'accepted 2.2.2.2 (unknown) HELO test.corp from noreply@test.corp to ',
      'accepted 4.4.4.4 (unknown) HELO relay.test.corp from tom@test.corp to ',
      'refused 1.1.1.1 (unknown) HELO test.corp from noreply@test.corp to error!@dummy.corp',
      'refused 1.1.1.1 (unknown) HELO test.corp from noreply@test.corp to error!@dummy.corp',
    ])
  })
})
