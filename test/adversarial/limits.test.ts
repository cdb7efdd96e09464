/** The catalogue, G1 to G7 and its relatives elsewhere: too much, too long, too slow. */
import assert from 'node:assert/strict'
import {
  type Check,
  greeted,
  inData,
  inMail,
  inRcpt,
  playAll,
  type Row,
  raw,
  type Step,
} from './lines.ts'

const minute = 60_000
const opened = greeted.slice(0, 1)
const again = (count: number, expect: string) => Array.from({ length: count }, () => expect)
const recipientsOf = (count: number) =>
  raw(Array.from({ length: count }, (_, at) => `RCPT TO:<u${at}@example.net>\r\n`).join(''))

/** A message that must arrive as it is, below the header that we put above it. */
function passes(id: string, about: string, message: string): Row {
  return {
    id,
    about,
    steps: [...inData, [raw(`${message}.\r\n`), '250 ']],
    check: ({ backend }) => {
      const arrived = backend.messages.at(-1)?.toString('latin1') ?? ''
      assert.ok(arrived.endsWith(message), `${arrived.length} bytes of ${message.length}`)
    },
  }
}

function isRefused(id: string, about: string, message: string, reply: string): Row {
  return {
    id,
    about,
    steps: [...inData, [raw(`${message}.\r\n`), reply], ['NOOP', '250 ']],
    check: ({ backend }) => {
      const name = /^Subject: (.*)\r\n/.exec(message)?.[1] ?? ''
      assert.ok(!backend.messages.some((each) => each.includes(`Subject: ${name}\r\n`)))
    },
  }
}

const rows: readonly Row[] = [
  { id: 'D16', about: '255 characters', steps: [...opened, [`EHLO ${'a'.repeat(255)}`, '250-']] },
  {
    id: 'D16',
    about: '256 and 4096 characters',
    steps: [...opened, [`EHLO ${'a'.repeat(256)}`, '501 '], [`EHLO ${'a'.repeat(4_096)}`, '501 ']],
  },
  {
    id: 'D20',
    about: '50 names in one connection',
    steps: [
      ...opened,
      [
        raw(Array.from({ length: 50 }, (_, at) => `HELO h${at}.example.com\r\n`).join('')),
        ...again(20, '250 '),
        '421 4.7.0 Too many HELO',
        'closed',
      ],
    ],
  },
  {
    id: 'F26',
    about: '100 recipients',
    steps: [...inMail, [recipientsOf(100), ...again(100, '250 ')], ['DATA', '354 ']],
  },
  {
    id: 'F27',
    about: '1,100 recipients: those that were accepted are kept',
    steps: [
      ...inMail,
      [recipientsOf(1_100), ...again(1_000, '250 '), ...again(100, '452 4.5.3')],
      ['DATA', '354 '],
      ['.', '250 '],
    ],
    check: ({ backend }) =>
      assert.equal(backend.dialogues.at(-1)?.filter((line) => /^RCPT/.test(line)).length, 1_000),
  },
  ...(['VRFY user', 'NOOP', 'RSET'] as const).map((line) => ({
    id: line === 'VRFY user' ? 'F32' : 'G6',
    about: `2,000 times ${line}`,
    steps: [
      ...greeted,
      [
        raw(`${line}\r\n`.repeat(2_000)),
        ...again(100, line === 'VRFY user' ? '252 ' : '250 '),
        '421 4.7.0 Too many commands that move no mail',
        'closed',
      ] as const,
    ],
    check: ({ backend }: { backend: { transcript: readonly string[] } }) =>
      assert.ok(!backend.transcript.some((told) => /^(?:VRFY|EXPN)/.test(told))),
  })),
  {
    id: 'G6',
    about: 'RSET before each of 150 messages is no junk',
    steps: [
      ...greeted,
      ...Array.from({ length: 150 }, (): readonly Step[] => [
        [
          raw('RSET\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n'),
          '250 ',
          '250 ',
          '250 ',
          '354 ',
        ],
        ['.', '250 '],
      ]).flat(),
    ],
  },
  {
    id: 'G2',
    about: 'a megabyte without a line end',
    steps: [...opened, [Buffer.alloc(1_048_576, 'x'), '421 4.5.2', 'closed']],
  },
  {
    id: 'G2',
    about: 'closed as soon as the limit is passed, whatever would follow',
    steps: [...opened, [Buffer.alloc(12_290, 'x'), '421 4.5.2', 'closed']],
  },
  {
    id: 'G2',
    about: 'a line that is too long, with its end',
    steps: [...opened, [`NOOP ${'x'.repeat(13_000)}`, '421 4.5.2', 'closed']],
  },
  ...[998, 1_000, 5_000, 1_048_576].map((length) =>
    passes('G3', `a line of ${length}`, `Subject: x\r\n\r\n${'x'.repeat(length)}\r\n`),
  ),
  isRefused(
    'G4',
    'larger than limits.size_max',
    `Subject: G4\r\n\r\n${'x'.repeat(2_100_000)}\r\n`,
    '552 5.3.4',
  ),
  passes('G5', '10,000 header lines', `${'X-A: b\r\n'.repeat(10_000)}\r\nx\r\n`),
  passes('G5', 'a header of a megabyte', `X-A: ${'b'.repeat(1_000_000)}\r\n\r\nx\r\n`),
  passes('G5', 'a header folded 10,000 times', `X-A: b\r\n${' c\r\n'.repeat(10_000)}\r\nx\r\n`),
  passes('G5', '100 Received lines', `${'Received: x\r\n'.repeat(100)}\r\nx\r\n`),
  isRefused(
    'G5',
    '500 Received lines',
    `Subject: G5\r\n${'Received: x\r\n'.repeat(500)}\r\nx\r\n`,
    '554 5.4.6',
  ),
  isRefused(
    'G5',
    'spelt otherwise',
    `Subject: G5b\r\n${'rEcEiVeD : x\r\n'.repeat(500)}\r\nx\r\n`,
    '554 5.4.6',
  ),
  passes('G5', 'Received lines in the body', `Subject: x\r\n\r\n${'Received: x\r\n'.repeat(500)}`),
]

playAll('too much', rows, { proxy: { config: 'limits.size_max = "2MB"' } })

const mute: Check = ({ backend }) => assert.equal(backend.messages.length, 0)

playAll('too slow', [
  {
    id: 'G7',
    about: 'a message that trickles is broken off, and no half of it arrives',
    steps: [...inData, ['Subject: slow', { afterMs: 3 * minute, hears: '421 4.4.2' }, 'closed']],
    check: mute,
  },
  {
    id: 'G7',
    about: 'also when it never falls silent',
    steps: inData,
    check: async (played) => {
      for (let count = 0; count < 17; count += 1) {
        played.client.says(raw('x'))
        await played.client.hearsNothing({ forMs: 10_000 })
      }
      played.client.says(raw('\r\n.'))
      await played.client.hears('421 4.4.2', { afterMs: 10_000 })
      await mute(played)
    },
  },
  {
    id: 'G7',
    about: 'an honest slow client is served, faltering included',
    steps: inData,
    check: async ({ client, backend }) => {
      for (let count = 0; count < 4; count += 1) {
        client.says(raw(`${'x'.repeat(998)}\r\n`.repeat(20)))
        await client.hearsNothing({ forMs: 2.5 * minute })
      }
      client.says('.')
      await client.hears('250 ')
      assert.equal(backend.messages.length, 1)
    },
  },
  {
    id: 'G7',
    about: 'silence between commands',
    steps: [...inRcpt, ['', { afterMs: 5 * minute, hears: '421 4.4.2' }, 'closed']],
  },
])

playAll('in pieces', [
  {
    id: 'A23',
    about: 'a first line of two dots, alone in its segment, is content',
    steps: [...inData, [raw('..')]],
    check: async ({ client, backend }) => {
      await client.hearsNothing({ forMs: 1_000 })
      client.says(raw('\r\n.\r\n'))
      await client.hears('250 ')
      assert.ok(backend.messages.at(-1)?.toString().endsWith(' +0000\r\n..\r\n'))
    },
  },
])

/** Each byte in a segment of its own, or a TLS record; the reading rests in between and goes on. */
const inSingleBytes: Check = async ({ client, proxy, backend }) => {
  const message = `Subject: single\r\n\r\n${'a\r\n..b\r\n'.repeat(100)}`
  const startedAt = proxy.clock.now()
  for (const byte of raw(`${message}.\r\n`)) {
    client.says(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await client.hearsEventually('250 ', { withinMs: minute })
  assert.ok(proxy.clock.now() > startedAt, 'it has rested')
  assert.ok(backend.messages.at(-1)?.toString().endsWith(message))
  client.says('QUIT')
  await client.hears('221 ')
  await client.isHungUpOn()
}

playAll(
  'in single bytes',
  [
    { id: 'A22', about: 'in the clear', steps: inData, check: inSingleBytes },
    {
      id: 'A22',
      about: 'under TLS',
      steps: [...greeted, ['STARTTLS', '220 ']],
      check: async (played) => {
        await played.client.startsTls()
        const { client } = played
        client.says('EHLO c.example.com')
        await client.hears('250-')
        client.says(raw('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n'))
        for (const heard of ['250 ', '250 ', '354 ']) await client.hears(heard)
        await inSingleBytes(played)
      },
    },
  ],
  { proxy: { config: 'tls.self_signed = true' } },
)

playAll(
  'commands of one connection',
  [
    {
      id: 'G6',
      about: 'limits.commands_max, whatever they are',
      steps: [
        ...inMail,
        [recipientsOf(20), ...again(8, '250 '), '421 4.7.0 Too many commands', 'closed'],
      ],
    },
  ],
  { proxy: { config: 'limits.commands_max = 10' } },
)
