/** The catalogue, B and J: bytes in the command stream, and verbs that nobody should obey. */
import assert from 'node:assert/strict'
import { until } from '../helpers/proxy.ts'
import { type Check, greeted, inData, inMail, inRcpt, playAll, type Row, raw } from './lines.ts'

const strict = '500 5.5.2'
const minute = 60_000
const opened = greeted.slice(0, 1)

const notTold: Check = ({ backend }) =>
  assert.ok(!backend.transcript.some((line) => line.includes('x@example.net')))

const rows: readonly Row[] = [
  {
    id: 'B1',
    about: 'commands that a bare LF ends',
    steps: [
      ...opened,
      [raw('EHLO c.example.com\nMAIL FROM:<a@example.com>\n'), strict, strict],
      ['MAIL FROM:<a@example.com>', '503 '],
    ],
    check: ({ backend }) => assert.equal(backend.connections, 1, 'but for the probe, unheard'),
  },
  {
    id: 'B1 later',
    about: 'a bare LF in the middle of a transaction',
    steps: [...inMail, [raw('RCPT TO:<b@example.net>\n'), strict], ['DATA', '503 ']],
  },
  {
    id: 'B2',
    about: 'a bare CR ends no line; the time for a command ends it',
    steps: [
      ...opened,
      [
        raw('EHLO c.example.com\rMAIL FROM:<a@b.c>\r'),
        { afterMs: 5 * minute, hears: '421 4.4.2' },
        'closed',
      ],
    ],
  },
  {
    id: 'B2 inside',
    about: 'a bare CR before CR LF, or in a line',
    steps: [
      ...greeted,
      [raw('NOOP\r\r\n'), strict],
      [raw('NOOP a\rQUIT\r\n'), strict],
      ['NOOP', '250 '],
    ],
  },
  {
    id: 'B3',
    about: 'NUL in a name, which is not taken',
    steps: [...opened, ['EHLO a\0b.example.com', '501 '], ['MAIL FROM:<a@b.example>', '503 ']],
  },
  {
    id: 'B3',
    about: 'nor does it take the place of the name before it',
    from: '203.0.113.3',
    steps: [...greeted, ['EHLO a\0b.example.com', '501 '], ['MAIL FROM:<a@b.example>', '250 ']],
    check: async ({ client, proxy }) => {
      const ledger = () => proxy.ledgers.find((each) => each.client === '203.0.113.3')
      client.leaves()
      await until(() => ledger() !== undefined)
      assert.equal(ledger()?.helo, 'c.example.com')
    },
  },
  {
    id: 'B7',
    about: 'a space first',
    steps: [...opened, [' EHLO x', '500 '], ['\tEHLO x', '500 ']],
  },
  {
    id: 'B8',
    about: 'empty lines, counted as errors',
    steps: [
      ...opened,
      [raw('\r\n'.repeat(5)), ...Array.from({ length: 5 }, () => '500 ')],
      [
        raw('\r\n'.repeat(15)),
        ...Array.from({ length: 15 }, () => '500 '),
        '421 4.7.0 Too many errors',
        'closed',
      ],
    ],
  },
  {
    id: 'B9',
    about: 'a TLS handshake in the clear',
    steps: [
      ...opened,
      [raw('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'), /^421 [ -~]+$/, 'closed'],
    ],
  },
  {
    id: 'B9 relatives',
    about: 'SSH, SOCKS, telnet, RDP and nonsense: an answer without an echo',
    steps: [
      ...opened,
      ['SSH-2.0-Go', /^500 [ -~]+$/],
      [raw('\x04\x01\x00\x19\x7f\x00\x00\x01\0\r\n'), /^500 [ -~]+$/],
      [raw('\xff\xf4\xff\xfd\x06\r\n'), /^500 [ -~]+$/],
      [raw('\x03\0\0\x13\x0e\xe0\r\n'), /^500 [ -~]+$/],
      [raw(`${'\xff'.repeat(300)}\r\n`), /^500 [ -~]+$/],
    ],
  },
  {
    id: 'B13',
    about: 'terminal escapes, in an address, a name, a verb and an argument that is not looked at',
    steps: [
      ...greeted,
      ['MAIL FROM:<a@example.com>\x1b[2J', /^501 [ -~]+$/],
      ['MAIL FROM:<a\x1b[2J@example.com>', /^501 [ -~]+$/],
      ['EHLO a\x1b[2J', /^501 [ -~]+$/],
      ['\x1b[2JNOOP', /^500 [ -~]+$/],
      ['NOOP \x1b[2J', /^250 [ -~]+$/],
    ],
    check: ({ proxy }) => {
      assert.ok(!JSON.stringify(proxy.ledgers).includes('\\u001b'))
    },
  },
  {
    id: 'C6',
    about: 'a browser is closed at its first line, and nothing behind it is obeyed',
    steps: [
      ...opened,
      [raw('POST / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<a@b.c>\r\n'), '421 4.7.0', 'closed'],
    ],
  },
  ...['GET /', 'PRI * HTTP/2.0', 'CONNECT mx:25 HTTP/1.1', 'put /x', 'OPTIONS'].map((line) => ({
    id: `C6 ${line}`,
    about: 'closed',
    steps: [...opened, [line, '421 4.7.0', 'closed'] as const],
  })),
  {
    id: 'J5',
    about: 'BDAT takes its octets with it, whatever they say',
    steps: [
      ...inRcpt,
      [raw('BDAT 5 LAST\r\nhelloNOOP\r\n'), '502 ', '250 2.0.0'],
      [raw('BDAT 25\r\nRCPT TO:<x@example.net>\r\n'), '502 '],
      [raw('BDAT 6 LAST\r\nQU'), '502 '],
      [raw('IT\r\nNOOP\r\n'), '250 2.0.0'],
      [raw('BDAT 0 LAST\r\nNOOP\r\n'), '502 ', '250 2.0.0'],
      [raw('BDAT\t25\tLAST\r\nRCPT TO:<x@example.net>\r\n'), '500 '],
      [raw('BDAT +25 LAST \r\nRCPT TO:<x@example.net>\r\n'), '502 '],
      [raw('bdat\v25\r\nRCPT TO:<x@example.net>\r\n'), '500 '],
      ['DATA', '354 '],
    ],
    check: notTold,
  },
  ...['BDAT', 'BDAT x', 'BDAT 5 FIRST', 'BDAT -5', 'BDAT 9999999999999999 LAST', 'BDAT:5'].map(
    (line) => ({
      id: 'J5 relatives',
      about: `${line}: nobody can tell how much follows`,
      steps: [
        ...inRcpt,
        [raw(`${line}\r\nRCPT TO:<x@example.net>\r\n`), '421 ', 'closed'] as const,
      ],
      check: notTold,
    }),
  ),
  ...[
    'ETRN x',
    'TURN',
    'ATRN',
    'EXPN list',
    'WIZ',
    'DEBUG',
    'KILL',
    'SHELL',
    'LHLO x',
    'SEND FROM:<a@b.c>',
    'BURL x',
  ].map((line) => ({
    id: `J6 ${line}`,
    about: 'not here',
    steps: [...greeted, [line, /^50[02] 5\.5\.1 /] as const],
    check: ({ backend }: { backend: { transcript: readonly string[] } }) =>
      assert.ok(!backend.transcript.includes(line)),
  })),
  {
    id: 'D21',
    about: 'LHLO is for LMTP',
    steps: [...greeted.slice(0, 1), ['LHLO x', '500 5.5.1'], ['MAIL FROM:<a@b.example>', '503 ']],
  },
  {
    id: 'J7',
    about: 'HELP tells no name and no version',
    steps: [...greeted, ['HELP', /^214 2\.0\.0 (?!.*(?:smtp-server|treacle|node|\d\.\d\.\d)).*$/i]],
  },
  {
    id: 'H1',
    about: 'STARTTLS where there is none, with a command behind it',
    steps: [...greeted, [raw('STARTTLS\r\nNOOP\r\n'), '502 ', '250 ']],
  },
  {
    id: 'content',
    about: 'verbs in a message are text',
    steps: [
      ...inData,
      [raw('QUIT\r\nRSET\r\nGET / HTTP/1.1\r\n\x16\x03\r\n.\r\n'), '250 '],
      ['NOOP', '250 '],
    ],
  },
]

playAll('bytes and verbs', rows)

playAll('one byte a second', [
  {
    id: 'B12',
    about: 'the time is for a command, not for a byte',
    steps: opened,
    check: async ({ client, proxy }) => {
      for (let count = 0; count < 29; count += 1) {
        client.says(raw('E'))
        await client.hearsNothing({ forMs: 10_000 })
      }
      await client.hears('421 4.4.2', { afterMs: 10_000 })
      await client.isHungUpOn()
      assert.equal(proxy.app.log.counts['client.cut-off'], 1)
    },
  },
  {
    id: 'B12 in BDAT',
    about: 'nor for a byte that is no command',
    steps: [...greeted, ['BDAT 100000', '502 ']],
    check: async ({ client }) => {
      for (let count = 0; count < 29; count += 1) {
        client.says(raw('E'))
        await client.hearsNothing({ forMs: 10_000 })
      }
      await client.hears('421 4.4.2', { afterMs: 10_000 })
      await client.isHungUpOn()
    },
  },
])
