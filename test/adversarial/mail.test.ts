/** The catalogue, C and F: synchronisation, MAIL and RCPT. */
import assert from 'node:assert/strict'
import { until } from '../helpers/proxy.ts'
import { greeted, inMail, inRcpt, playAll, type Row, raw, type Step } from './lines.ts'

const times = (count: number, expect: string) => Array.from({ length: count }, () => expect)

/** Said in a transaction, the reply, and what the back end must have been told of it; null: nothing. */
const recipients: readonly (readonly [id: string, line: string, reply: string, told: boolean])[] = [
  ['F17', 'RCPT TO:<"x@victim.org">', '501 5.1.3', false],
  ['F17 route', 'RCPT TO:<@example.net:x@victim.org>', '550 5.7.1', false],
  ['F18', 'RCPT TO:<x@[127.0.0.1]>', '550 5.7.1', false],
  ['F19', 'RCPT TO:<postmaster>', '250 ', true],
  ['F19', 'RCPT TO:<PostMaster>', '250 ', true],
  ['F19', 'RCPT TO:<abuse@example.net>', '250 ', true],
  ['F23', 'RCPT TO:<"a b"@example.net>', '250 ', true],
  ['F23', 'RCPT TO:<"a\\"b"@example.net>', '250 ', true],
  ['F23', 'RCPT TO:<"a>b"@example.net>', '250 ', true],
  ['F24', 'RCPT TO:<""@example.net>', '250 ', true],
  ['F relatives', 'RCPT TO:<x@example.net> <y@example.net>', '501 ', false],
  ['F relatives', 'RCPT TO:<x@example.net', '501 ', false],
  ['F relatives', 'RCPT TO:<x@example.net>>', '501 ', false],
  ['F relatives', 'RCPT TO:<x@example.net\0>', '501 ', false],
  ['F relatives', 'RCPT TO:<x@example.net\t>', '501 ', false],
  ['F relatives', 'RCPT TO:<|/bin/sh@example.net>', '250 ', true],
  ['F relatives', 'RCPT TO:<x@exa mple.net>', '501 ', false],
  ['F relatives', `RCPT TO:<${'x'.repeat(300)}@example.net>`, '501 ', false],
  ['F relatives', 'RCPT TO:<>', '501 ', false],
  ['F relatives', 'RCPT TO:<x@example.net> ORCPT=rfc822;a+0D+0Ab', '501 ', false],
]

/** Recipients whose domain is the first hop only, for a server that routes on. */
const routed: readonly (readonly [id: string, line: string])[] = [
  ['F15', 'RCPT TO:<victim.org!x@example.net>'],
  ['F17', 'RCPT TO:<"x@victim.org"@example.net>'],
  ['F relatives', 'RCPT TO:<x%victim.org@example.net>'],
  ['F relatives', 'RCPT TO:<"x%victim.org"@example.net>'],
  ['F relatives', 'RCPT TO:<"victim.org!x"@example.net>'],
  ['F relatives', 'RCPT TO:<"x\\@victim.org"@example.net>'],
  ['F relatives', 'RCPT TO:<"@victim.org:x"@example.net>'],
  ['F relatives', 'RCPT TO:<"victim.org::x"@example.net>'],
]

const senders: readonly (readonly [id: string, line: string, reply: string])[] = [
  ['F2', 'MAIL FROM: <a@example.com>', '250 '],
  ['F3', 'MAIL FROM:a@example.com', '501 '],
  ['F5', 'MAIL FROM:<a\0@example.com>', '501 '],
  ['F8', 'MAIL FROM:<a@example.com> SIZE=99999999999999999999', '552 5.3.4'],
  ['F8', 'MAIL FROM:<a@example.com> SIZE=-1', '501 '],
  ['F8', 'MAIL FROM:<a@example.com> SIZE=abc', '501 '],
  ['F8', 'MAIL FROM:<a@example.com> SIZE=', '501 '],
  ['F8', 'MAIL FROM:<a@example.com> SIZE=1e9', '501 '],
  ['F9', 'MAIL FROM:<a@example.com> BODY=8BITMIME BODY=7BIT', '501 '],
  ['F9', 'MAIL FROM:<a@example.com> RET=FULL RET=HDRS', '501 '],
  ['F10', 'MAIL FROM:<a@example.com> AUTH=<x+0D+0A>', '501 '],
  ['F10', 'MAIL FROM:<a@example.com> AUTH=x+0D+0A', '501 '],
  ['F10 relative', 'MAIL FROM:<a@example.com> ENVID=x+0AQUIT', '501 '],
  ['F22', 'MAIL FROM:<;sleep 66;@example.com>', '501 '],
  ['F22', 'MAIL FROM:<;sleep@example.com>', '501 '],
  ['F relatives', 'MAIL FROM:<a@example.com> X=y', '555 '],
  ['F relatives', 'MAIL FROM:<a@example.com> =x', '501 '],
  ['F relatives', 'MAIL FROM:<a@b@c.example>', '501 '],
  ['F relatives', 'MAIL\tFROM:<a@example.com>', '500 '],
  ['F relatives', 'MAILFROM:<a@example.com>', '500 '],
  ['F relatives', 'MAIL FROM:<\u00e4@example.com>', '501 '],
]

function recipientRow(id: string, line: string, reply: string, isTold: boolean): Row {
  return {
    id,
    about: JSON.stringify(line),
    steps: [...inMail, [line, reply]],
    check: ({ backend }) => assert.equal(backend.transcript.includes(line), isTold),
  }
}

const rows: readonly Row[] = [
  ...senders.map(([id, line, reply]) => ({
    id,
    about: JSON.stringify(line),
    steps: [...greeted, [line, reply] as const],
  })),
  ...recipients.map(([id, line, reply, isTold]) => recipientRow(id, line, reply, isTold)),
  // It would take us for the sender, and a friend.
  ...routed.map(([id, line]) => recipientRow(id, line, '550 5.7.1', false)),
  {
    id: 'F2',
    about: 'a space after the colon, which the back end never sees',
    steps: [
      ...greeted,
      ['MAIL FROM: <spacious@example.com>', '250 '],
      ['RCPT TO: <spacious@example.net>', '250 '],
    ],
    check: ({ backend }) =>
      assert.deepEqual(backend.dialogues.at(-1)?.slice(-2), [
        'MAIL FROM:<spacious@example.com>',
        'RCPT TO:<spacious@example.net>',
      ]),
  },
  { id: 'F11', about: 'MAIL again', steps: [...inMail, ['MAIL FROM:<a@example.com>', '503 ']] },
  {
    id: 'F12',
    about: 'out of order',
    steps: [
      ...greeted,
      ['RCPT TO:<b@example.net>', '503 '],
      ['DATA', '503 '],
      ['MAIL FROM:<a@example.com>', '250 '],
      ['DATA', '503 '],
      ['RCPT TO:<b@example.net>', '250 '],
      ['DATA x', '501 '],
      ['DATA', '354 '],
    ],
  },
  {
    id: 'F28',
    about: 'the same recipient twice',
    steps: [...inRcpt, ['RCPT TO:<b@example.net>', '250 ']],
    check: ({ backend }) =>
      assert.deepEqual(
        backend.dialogues.at(-1)?.filter((line) => /^RCPT/.test(line)),
        times(2, 'RCPT TO:<b@example.net>'),
      ),
  },
  {
    id: 'F29',
    about: '250, 550 and 451, and on with the good one',
    steps: [
      ...inMail,
      ['RCPT TO:<good@example.net>', '250 '],
      ['RCPT TO:<bad@example.net>', '550 5.1.1 not here'],
      ['RCPT TO:<busy@example.net>', '451 4.2.0 come back'],
      ['DATA', '354 '],
      ['Subject: x\r\n\r\nhello\r\n.', '250 '],
    ],
  },
  {
    id: 'F30',
    about: 'all refused, DATA pipelined: no 354',
    steps: [
      ...inMail,
      [
        raw('RCPT TO:<bad@example.net>\r\nRCPT TO:<bad@example.net>\r\nDATA\r\n'),
        '550 ',
        '550 ',
        '554 ',
      ],
      ['NOOP', '250 '],
    ],
  },
  {
    id: 'C10',
    about: 'content before 354 is content, and noted',
    steps: [...inRcpt, [raw('DATA\r\nSubject: x\r\n\r\nearly\r\n.\r\n'), '354 ', '250 ']],
    from: '203.0.113.10',
    check: ({ proxy }) => {
      const told = proxy.events.filter(({ name }) => name === 'client.too-soon')
      assert.deepEqual(
        told.map(({ fields }) => fields),
        [{ client: '203.0.113.10', command: 'DATA' }],
      )
    },
  },
  {
    id: 'C10 refused',
    about: 'content behind a DATA that is refused is never obeyed',
    steps: [
      ...inMail,
      [
        raw(
          'RCPT TO:<bad@example.net>\r\nDATA\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<evil@example.net>\r\n',
        ),
        '550 ',
        '554 ',
        '421 4.7.0',
        'closed',
      ],
    ],
    check: ({ backend }) => assert.ok(!backend.transcript.some((line) => line.includes('evil'))),
  },
  {
    id: 'C11',
    about: 'a proper group: answers in order',
    steps: [
      ...greeted,
      [
        raw(
          'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nRCPT TO:<bad@example.net>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n',
        ),
        '250 2.1.0',
        '250 ',
        '550 ',
        '250 ',
        '354 ',
      ],
      ['.', '250 '],
    ],
  },
  {
    id: 'A28',
    about: 'two whole transactions in one segment: two messages, each with its own recipient',
    steps: [
      ...greeted,
      [
        raw(
          ['one', 'two']
            .map(
              (name) =>
                `MAIL FROM:<${name}@example.com>\r\nRCPT TO:<${name}@example.net>\r\nDATA\r\nSubject: ${name}\r\n\r\n.\r\n`,
            )
            .join(''),
        ),
        ...['250 2.1.0', '250 ', '354 ', '250 ', '250 2.1.0', '250 ', '354 ', '250 '],
      ],
    ],
    check: ({ backend }) => {
      const told = backend.dialogues.at(-1) ?? []
      assert.deepEqual(
        told
          .filter((line) => /^(?:MAIL|RCPT)/.test(line))
          .map((line) => line.replace(/ (?:SIZE|BODY).*/, '')),
        ['one', 'two'].flatMap((name) => [
          `MAIL FROM:<${name}@example.com>`,
          `RCPT TO:<${name}@example.net>`,
        ]),
      )
    },
  },
]

playAll('MAIL, RCPT and their order', rows, {
  backend: {
    replies: (line) => {
      if (/<bad@/.test(line)) return '550 5.1.1 not here'
      return /<busy@/.test(line) ? '451 4.2.0 come back' : undefined
    },
  },
})

const bare: readonly Step[] = [
  ['', '220 '],
  ['EHLO c.example.com', /^(?!.*(?:SMTPUTF8|DSN|CHUNKING|PIPECONNECT)).*$/s],
]

playAll(
  'a back end without extensions',
  [
    {
      id: 'F7',
      about: 'SMTPUTF8 is not on offer',
      steps: [...bare, ['MAIL FROM:<a@example.com> SMTPUTF8', '555 ']],
    },
    {
      id: 'F31',
      about: 'nor is DSN',
      steps: [
        ...bare,
        ['MAIL FROM:<a@example.com>', '250 '],
        ['RCPT TO:<b@example.net> NOTIFY=NEVER ORCPT=rfc822;x', '555 '],
        ['RCPT TO:<b@example.net>', '250 '],
      ],
    },
  ],
  { backend: { ehlo: [] } },
)

playAll(
  'the greet pause',
  [
    {
      id: 'C1',
      about: 'EHLO in the pause: sent away, and it is written down why',
      steps: [['EHLO x', '554 5.5.1', 'closed']],
      check: async ({ client, proxy }) => {
        client.leaves()
        await until(() => proxy.ledgers.length > 0)
        const [entry] = proxy.ledgers[0]?.entries ?? []
        assert.deepEqual(
          [entry?.reasons.map(({ name }) => name), entry?.reaction],
          [['early-talker'], 'talked'],
        )
      },
    },
    {
      id: 'C3',
      about: 'leaves before the banner',
      steps: [],
      check: async ({ client, proxy, backend }) => {
        client.leaves()
        await until(() => proxy.app.connectionCount === 0)
        assert.equal(backend.connections, 1, 'but for the probe')
      },
    },
    {
      id: 'C15',
      about: 'our greeting is one line, and who talks after it is no early talker',
      steps: [
        ['', { afterMs: 3_000, hears: '220 ' }],
        ['EHLO c.example.com', '250-'],
      ],
    },
  ],
  { proxy: { config: 'greeting.pause = "3s"\ngreeting.pause_suspect = "20s"' } },
)

playAll(
  'early talk as a reason',
  [
    {
      id: 'C2',
      about: 'EHLO ylmf-pc in the pause: two reasons',
      steps: [
        ['EHLO ylmf-pc', { afterMs: 20_000, hears: '220 ' }, '250-'],
        ['MAIL FROM:<a@example.com>', '250 '],
        ['RCPT TO:<b@example.net>', { afterMs: 90_000, hears: '250 ' }],
      ],
      check: async ({ client, proxy }) => {
        client.leaves()
        await until(() => proxy.ledgers.length > 0)
        const found = proxy.ledgers[0]?.entries.flatMap(({ reasons }) =>
          reasons.map(({ name }) => name),
        )
        for (const reason of ['early-talker', 'unqual-helo'])
          assert.ok(found?.includes(reason), `${found}`)
      },
    },
  ],
  {
    proxy: {
      config:
        'greeting.pause = "3s"\ngreeting.pause_suspect = "20s"\ngreeting.early_talk = "delay"',
    },
  },
)

playAll(
  'content before 354',
  [
    {
      id: 'C10',
      about: 'DATA is never delayed; what comes later is',
      steps: [
        ...inRcpt,
        [raw('DATA\r\nSubject: x\r\n\r\nearly\r\n.\r\n'), '354 ', '250 '],
        ['MAIL FROM:<a@example.com>', '250 '],
        ['RCPT TO:<b@example.net>', { afterMs: 45_000, hears: '250 ' }],
      ],
      check: async ({ client, proxy }) => {
        client.leaves()
        await until(() => proxy.ledgers.length > 0)
        assert.deepEqual(
          proxy.ledgers[0]?.findings.map(({ reason, evidence }) => [reason, evidence]),
          [['pipelined-too-soon', 'did not wait for the reply to DATA']],
        )
      },
    },
  ],
  { proxy: { config: 'reasons.pipelined-too-soon.action = "delay"' } },
)

playAll(
  'a back end that is told who the client is, and decides',
  [
    recipientRow('F18', 'RCPT TO:<x@[127.0.0.1]>', '250 ', true),
    recipientRow('F18', 'RCPT TO:<x@[192.0.2.25]>', '250 ', true),
    recipientRow('F18', 'RCPT TO:<refused@[127.0.0.1]>', '554 5.7.1 no relay', true),
    ...routed.map(([id, line]) => recipientRow(id, line, '250 ', true)),
  ],
  {
    backend: {
      ehlo: ['XCLIENT ADDR'],
      replies: (line) => (/<refused@/.test(line) ? '554 5.7.1 no relay' : undefined),
    },
    proxy: { config: 'backend.recipient_domains = []' },
  },
)

const friend: readonly Step[] = [
  ['', '220 '],
  ['EHLO friend', '250-'],
]
const late = (hears: string) => ({ afterMs: 90_000, hears })

playAll('waiting', [
  {
    id: 'A7',
    about: 'what follows a real end is judged afresh: who may have mail, and after what wait',
    steps: [
      ...friend,
      ['MAIL FROM:<a@example.com>', '250 '],
      ['RCPT TO:<b@example.net>', late('250 ')],
      ['DATA', '354 '],
      [
        raw(
          'Subject: t\r\n\r\nbody\0\r\n.\r\nMAIL FROM:<evil@example.com>\r\n' +
            'RCPT TO:<v@elsewhere.example>\r\nRCPT TO:<v@example.net>\r\nDATA\r\nx\r\n.\r\n',
        ),
        '550 5.6.0',
        '250 2.1.0',
        late('550 5.7.1'),
        late('250 '),
        '354 ',
        '250 ',
      ],
    ],
    check: ({ backend }) => {
      assert.equal(backend.messages.length, 1)
      assert.ok(!backend.transcript.some((line) => line.includes('elsewhere')))
    },
  },
  {
    id: 'A28',
    about: 'the second of two transactions in one segment waits like the first',
    steps: [
      ...friend,
      [
        raw('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nx\r\n.\r\n'.repeat(2)),
        ...['250 2.1.0', late('250 '), '354 ', '250 '],
        ...['250 2.1.0', late('250 '), '354 ', '250 '],
      ],
    ],
  },
  {
    id: 'C11',
    about: 'each recipient of a group waits for itself, in order',
    steps: [
      ...friend,
      [
        raw(`MAIL FROM:<a@example.com>\r\n${'RCPT TO:<b@example.net>\r\n'.repeat(3)}DATA\r\n`),
        ...['250 2.1.0', late('250 '), late('250 '), late('250 '), '354 '],
      ],
    ],
  },
  {
    id: 'C12',
    about: 'what is pipelined behind a wait comes after it, in order',
    steps: [
      ['', '220 '],
      ['EHLO friend', '250-'],
      ['MAIL FROM:<a@example.com>', '250 '],
      [
        raw('RCPT TO:<b@example.net>\r\nRCPT TO:<bad\r\nRSET\r\nNOOP\r\n'),
        { afterMs: 90_000, hears: '250 2.1.5' },
        '501 ',
        '250 ',
        '250 ',
      ],
    ],
  },
])
