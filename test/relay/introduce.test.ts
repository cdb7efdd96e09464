/** XCLIENT: one command, what the back end lists and nothing else (facts 5.4). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseIp } from '../../src/core/ip.ts'
import { replyText } from '../../src/core/reply.ts'
import { parseCapabilities } from '../../src/relay/capabilities.ts'
import {
  greetingVerb,
  type Introduction,
  introduce,
  xclientCommand,
  xforwardCommand,
} from '../../src/relay/introduce.ts'
import { converse, introductionOf, setUp } from './setups.ts'

const all = 'XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT'
const six = parseIp('2001:db8::7')
assert.ok(six)

const cases: readonly {
  readonly offers: string
  readonly client?: Partial<Introduction>
  readonly command: string | null
  readonly because: string
}[] = [
  {
    offers: all,
    command:
      'XCLIENT NAME=mail.example.org REVERSE_NAME=mail.example.org ADDR=203.0.113.7 PORT=54321 ' +
      'PROTO=ESMTP HELO=mail.example.org DESTADDR=192.0.2.25 DESTPORT=25',
    because: 'Postfix wants it all in one command',
  },
  {
    offers: 'XCLIENT  ADDR NAME PORT LOGIN DESTADDR DESTPORT',
    command:
      'XCLIENT NAME=mail.example.org ADDR=203.0.113.7 PORT=54321 DESTADDR=192.0.2.25 DESTPORT=25',
    because: 'Exim refuses what it does not list',
  },
  { offers: 'XCLIENT addr', command: 'XCLIENT ADDR=203.0.113.7', because: 'case does not count' },
  {
    offers: 'XCLIENT NAME ADDR REVERSE_NAME',
    client: { name: null, reverseName: null },
    command: 'XCLIENT NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] ADDR=203.0.113.7',
    because: 'it has no name',
  },
  {
    offers: 'XCLIENT NAME ADDR',
    client: { name: null, nameUnknown: true },
    command: 'XCLIENT NAME=[TEMPUNAVAIL] ADDR=203.0.113.7',
    because: 'nobody knows its name',
  },
  {
    offers: 'XCLIENT ADDR DESTADDR',
    client: { ip: six, local: { address: '2001:db8::25', port: 25 } },
    command: 'XCLIENT ADDR=IPV6:2001:db8::7 DESTADDR=IPV6:2001:db8::25',
    because: 'IPv6 has a prefix',
  },
  {
    offers: 'XCLIENT ADDR PROTO HELO LOGIN',
    client: { helo: { verb: 'HELO', name: 'a+b=c ü' }, login: 'bob@example.net x' },
    command:
      'XCLIENT ADDR=203.0.113.7 PROTO=SMTP HELO=a+2Bb+3Dc+20+C3+BC LOGIN=bob@example.net+20x',
    because: 'values are xtext',
  },
  {
    offers: 'XCLIENT ADDR LOGIN',
    client: { login: 'a'.repeat(255) },
    command: `XCLIENT ADDR=203.0.113.7 LOGIN=${'a'.repeat(255)}`,
    because: 'Postfix takes as much',
  },
  {
    offers: 'XCLIENT ADDR LOGIN',
    client: { login: 'a'.repeat(256) },
    command: 'XCLIENT ADDR=203.0.113.7',
    because: 'the first part of a user is another user',
  },
  {
    offers: 'XCLIENT ADDR HELO',
    client: { helo: { verb: 'EHLO', name: `${'a'.repeat(253)}ü` } },
    command: `XCLIENT ADDR=203.0.113.7 HELO=${'a'.repeat(253)}`,
    because: 'values are at most 255 long, and no "+XX" is cut',
  },
  { offers: 'XCLIENT NAME HELO', command: null, because: 'without ADDR we would still be trusted' },
  { offers: 'XCLIENT', command: null, because: 'it lists nothing' },
  { offers: 'XFORWARD ADDR', command: null, because: 'it is not offered' },
]

describe('xclientCommand', () => {
  for (const { offers, client = {}, command, because } of cases) {
    it(`to "${offers}": ${because}`, () => {
      assert.equal(xclientCommand(parseCapabilities([offers]), introductionOf(client)), command)
    })
  }
})

describe('in front of LMTP', () => {
  it('the protocol is called LMTP', () => {
    const offered = parseCapabilities(['XCLIENT ADDR PROTO'])
    assert.equal(
      xclientCommand(offered, introductionOf(), 'lmtp'),
      'XCLIENT ADDR=203.0.113.7 PROTO=LMTP',
    )
    assert.equal(greetingVerb(introductionOf(), 'lmtp'), 'LHLO')
  })
})

const forwards = [
  {
    offers: 'XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE',
    command:
      'XFORWARD NAME=mail.example.org ADDR=203.0.113.7 PORT=54321 PROTO=ESMTP ' +
      'HELO=mail.example.org SOURCE=REMOTE',
    because: 'all that Postfix lists and we know',
  },
  { offers: 'XFORWARD NAME', command: null, because: 'a log without the address is worth nothing' },
  { offers: 'XCLIENT ADDR', command: null, because: 'it is not offered' },
]

describe('xforwardCommand', () => {
  for (const { offers, command, because } of forwards) {
    it(`to "${offers}": ${because}`, () => {
      assert.equal(
        xforwardCommand(parseCapabilities([offers]), () => introductionOf()),
        command,
      )
    })
  }
})

describe('introduce', () => {
  const outcomes = [
    { step: 'XCLIENT', answer: '550 5.7.1 not you', refusal: '550 5.7.1 not you' },
    { step: 'XCLIENT', answer: '421 4.7.0 too many', refusal: '421 4.7.0 too many' },
    { step: 'EHLO mail', answer: '504 5.5.2 bad name', refusal: '504 5.5.2 bad name' },
    { step: 'nothing', answer: '', refusal: null },
  ]
  for (const { step, answer, refusal } of outcomes) {
    it(`gives ${refusal ?? 'nothing'} when ${step} is refused`, async () => {
      await using at = await setUp({
        ehlo: ['XCLIENT ADDR'],
        replies: (line) => (line.startsWith(step) ? answer : undefined),
      })
      const conversation = await converse(at)
      const hello = greetingOf(introductionOf())
      const heard = await introduce(conversation, 'XCLIENT ADDR=x', hello, 1_000)
      assert.equal(heard === null ? null : replyText(heard), refusal)
      conversation.destroy()
    })
  }

  it('says the HELO of the client afterwards, in the way the client said it', async () => {
    await using at = await setUp()
    const conversation = await converse(at)
    const hello = { verb: 'HELO', name: 'computer' } as const
    await introduce(conversation, 'XCLIENT ADDR=x', hello, 1_000)
    assert.deepEqual(at.server.transcript, [
      'EHLO mx.example.net',
      'XCLIENT ADDR=x',
      'HELO computer',
    ])
    conversation.destroy()
  })
})

function greetingOf(client: Introduction) {
  return { verb: greetingVerb(client, 'smtp'), name: client.helo.name }
}
