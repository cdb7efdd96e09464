/** The catalogue, K: a back end that is down, slow, rude or hostile. What it says is all that is said. */
import assert from 'node:assert/strict'
import type { Answer } from '../helpers/scripted-backend.ts'
import { greeted, inMail, playAll, type Row, raw, type Step } from './lines.ts'

const minute = 60_000
const message = raw('Subject: x\r\n\r\nhello\r\n.\r\n')
const toRcpt = (name: string): readonly Step[] => [
  ...greeted,
  ['MAIL FROM:<a@example.com>', '250 2.1.0'],
  [`RCPT TO:<${name}@example.net>`],
]

/** What it answers to RCPT, by the name of the recipient, and what the client must hear. */
const answers: readonly (readonly [
  id: string,
  name: string,
  answer: Answer,
  heard: string | RegExp,
])[] = [
  ['K1', 'down', 'close', '451 4.4.2'],
  ['K1', 'reset', 'reset', '451 4.4.2'],
  ['K1', 'shut', '421 4.3.2 going down', '421 4.3.2 going down'],
  ['K6', 'many', `${'250-x\r\n'.repeat(5_000)}250 x`, '451 4.4.2'],
  ['K6', 'long', `250 ${'x'.repeat(1_048_576)}`, '451 4.4.2'],
  ['K6', 'endless', { forever: '250-x\r\n' }, '451 4.4.2'],
  ['K6', 'endless line', { forever: 'x' }, '451 4.4.2'],
  ['K7', 'lf', raw('250 ok\n'), '451 4.4.2'],
  ['K7', 'short', raw('25\r\n'), '451 4.4.2'],
  ['K7', 'wide', raw('2500 x\r\n'), '451 4.4.2'],
  ['K7', 'mixed', raw('250-a\r\n550 b\r\n'), '451 4.4.2'],
  ['K7', 'low', raw('150 x\r\n'), '451 4.4.2'],
  ['K7', 'wait', raw('354 x\r\n'), '451 4.4.2'],
  ['K7', 'empty', raw('\r\n'), '451 4.4.2'],
  ['K7', 'nul', raw('250 a\0b\r\n'), '250 a b'],
  ['K8', 'cr', raw('550 5.1.1 no\r250 yes\r\n'), /^550 5\.1\.1 no 250 yes$/],
  ['K8', 'escape', raw('550 5.1.1 no\x1b[2J\r\n'), /^550 5\.1\.1 no \[2J$/],
  ['K8', 'lines', raw('550-5.1.1 a\r\n550 5.1.1 b\r\n'), /^550-5\.1\.1 a\n550 5\.1\.1 b$/],
]

const rows: readonly Row[] = [
  ...answers.map(([id, name, answer, heard]) => ({
    id,
    about: `${JSON.stringify(answer).slice(0, 40)} to RCPT`,
    steps: [
      ...toRcpt(name.replace(' ', '-')).slice(0, -1),
      [`RCPT TO:<${name.replace(' ', '-')}@example.net>`, heard] as const,
    ],
  })),
  {
    id: 'K8',
    about: 'a second reply that nobody asked for answers nothing',
    steps: [
      ...greeted,
      ['MAIL FROM:<a@example.com>', '250 2.1.0'],
      ['RCPT TO:<twice@example.net>', '250 one'],
      ['RCPT TO:<b@example.net>', '451 4.4.2'],
      ['DATA', '451 '],
    ],
  },
  {
    id: 'K9',
    about: 'the name that we say is ours',
    steps: [
      ['', '220 '],
      ['EHLO evil.example.com', '250-'],
      ['MAIL FROM:<a@example.com> SIZE=5', '250 '],
      ['RCPT TO:<b@example.net>', '250 '],
    ],
    check: ({ backend }) => {
      const greetings = backend.transcript.filter((line) => /^EHLO/.test(line))
      assert.deepEqual([...new Set(greetings)], ['EHLO mx.example.org'])
    },
  },
  {
    id: 'K10',
    about: '354 and at once 550: the 550 is the last word',
    steps: [
      ...inMail,
      ['RCPT TO:<early@example.net>', '250 '],
      ['DATA', '354 '],
      [message, '550 5.7.1 no'],
      ['NOOP', '250 '],
    ],
  },
  {
    id: 'K10',
    about: '354 and at once 250: that was not this message',
    steps: [
      ...inMail,
      ['RCPT TO:<eager@example.net>', '250 '],
      ['DATA', '354 '],
      [message, '451 4.4.2'],
    ],
  },
  {
    id: 'K3',
    about: 'closes after the dot without a word',
    steps: [
      ...inMail,
      ['RCPT TO:<mute@example.net>', '250 '],
      ['DATA', '354 '],
      [message, '451 4.4.2'],
    ],
  },
  {
    id: 'K12',
    about: 'hangs up after the first of two messages',
    steps: [
      ...inMail,
      ['RCPT TO:<last@example.net>', '250 '],
      ['DATA', '354 '],
      [message, '250 taken'],
      ['MAIL FROM:<a@example.com>', '250 '],
      ['RCPT TO:<b@example.net>', '250 '],
      ['DATA', '354 '],
      [message, '250 '],
    ],
  },
  {
    id: 'K4',
    about: 'nine minutes after the dot',
    steps: [...inMail, ['RCPT TO:<slow@example.net>', '250 '], ['DATA', '354 '], [message]],
    check: async ({ client, backend }) => {
      await client.hearsNothing({ forMs: 9 * minute })
      backend.interject('250 2.0.0 at last\r\n')
      await client.hears('250 2.0.0 at last')
    },
  },
]

/** Which answer each connection of the back end gives to its dot, by the recipient before it. */
const recipientOf = new Map<number, string>()

playAll('a back end that', rows, {
  backend: {
    replies(line, connection) {
      const name = /^RCPT TO:<([^@]+)@/.exec(line)?.[1]
      if (name !== undefined) {
        recipientOf.set(connection, name)
        if (name === 'twice') return raw('250 one\r\n550 two\r\n')
        return answers.find(([, own]) => own.replace(' ', '-') === name)?.[2]
      }
      const to = recipientOf.get(connection)
      if (line === 'DATA' && to === 'early') return raw('354 go\r\n550 5.7.1 no\r\n')
      if (line === 'DATA' && to === 'eager') return raw('354 go\r\n250 done\r\n')
      if (line !== '.') return undefined
      if (to === 'mute') return 'close'
      if (to === 'slow') return 'hang'
      return to === 'last' ? { breaksOffAfter: '250 taken\r\n' } : undefined
    },
  },
  proxy: {},
})

const wayDown: Row = {
  id: 'K1',
  about: 'refused or silent from the start: 451 at RCPT, never 250',
  steps: [...inMail, ['RCPT TO:<b@example.net>', '451 4.4.1'], ['DATA', '554 ']],
}
playAll('a back end that greets with 421', [wayDown], { backend: { greeting: '421 4.3.2 busy' } })
playAll('a back end that greets with 554', [wayDown], { backend: { greeting: '554 go away' } })
playAll('a back end that is no mail server', [wayDown], {
  backend: { greeting: raw('HTTP/1.1 400 Bad Request\r\n\r\n') },
})
playAll('a back end that hangs up', [wayDown], { backend: { greeting: 'close' } })

let greeting: Answer = '220 backend.example.net ESMTP'
playAll(
  'a back end that falls silent',
  [
    {
      id: 'K1',
      about: 'it does not greet: 451 when its time is over',
      steps: [
        ...greeted,
        ['MAIL FROM:<a@example.com>', '250 2.1.0'],
        ['RCPT TO:<b@example.net>', { afterMs: 10_000, hears: '451 4.4.1' }],
        ['DATA', '554 '],
      ],
    },
  ],
  {
    backend: {
      greeting() {
        const said = greeting
        greeting = 'hang'
        return said
      },
    },
  },
)

const closing: Row = {
  id: 'K1',
  about: 'at MAIL: 451 to the recipient, never 250',
  steps: [...inMail, ['RCPT TO:<b@example.net>', '451 4.4.2'], ['DATA', '554 ']],
}
playAll('a back end that closes at MAIL', [closing], {
  backend: { replies: (line) => (/^MAIL/.test(line) ? 'close' : undefined) },
})
playAll('a back end that is reset at MAIL', [closing], {
  backend: { replies: (line) => (/^MAIL/.test(line) ? 'reset' : undefined) },
})

playAll('what stands in the header', [
  {
    id: 'K14',
    about: 'a HELO that is no name is not in it',
    from: '2001:db8::1',
    steps: [
      ['', '220 '],
      ['EHLO a_(b)', '501 '],
      ['EHLO [IPv6:2001:db8::1]', '250-'],
      ...inMail.slice(2),
      ['RCPT TO:<b@example.net>', '250 '],
      ['DATA', '354 '],
      [message, '250 '],
    ],
    check: ({ backend }) =>
      assert.match(
        backend.messages[0]?.toString() ?? '',
        /^Received: from \[IPv6:2001:db8::1\] \(\[IPv6:2001:db8::1\]\)\r\n\tby mx\.example\.org \(Treacle\) with ESMTP id [0-9a-f]{16}\r\n\tfor <b@example\.net>;\r\n\t[ -~]+ \+0000\r\n/,
      ),
  },
])
