/** The catalogue, D and E: the name that a client gives itself, and what the DNS says of it. */
import assert from 'node:assert/strict'
import { until } from '../helpers/proxy.ts'
import { type Check, greeted, type Played, playAll, type Row, raw, type Step } from './lines.ts'

const minute = 60_000
const opened = greeted.slice(0, 1)
const mail: readonly Step[] = [['MAIL FROM:<a@example.com>', '250 2.1.0']]
const prompt: Step = ['RCPT TO:<b@example.net>', '250 ']
const late: Step = ['RCPT TO:<b@example.net>', { afterMs: 90_000, hears: '250 ' }]
const says = (helo: string): readonly Step[] => [...opened, [`EHLO ${helo}`, '250-'], ...mail]

/** The reasons in the ledger of a client that leaves now. */
async function reasonsOf({ client, proxy }: Played): Promise<string[]> {
  const count = proxy.ledgers.length
  client.leaves()
  await until(() => proxy.ledgers.length > count)
  const names = proxy.ledgers.at(-1)?.findings.map(({ reason }) => reason) ?? []
  return [...new Set(names)].sort()
}

const gives =
  (...expected: readonly string[]): Check =>
  async (played) =>
    assert.deepEqual(await reasonsOf(played), expected)

const refused = (helo: string): readonly Step[] => [
  ...opened,
  [`EHLO ${helo}`, /^501 5\.5\.4 [ -~]+$/],
  ['MAIL FROM:<a@b.c>', '503 '],
]

const rows: readonly Row[] = [
  {
    id: 'D2',
    about: 'a bare word and the name of a dial-up',
    from: '203.0.113.2',
    steps: [...says('computer'), late],
    check: gives('hostname-dsl-or-dialup', 'unqual-helo'),
  },
  {
    id: 'D5',
    about: 'its own literal',
    from: '203.0.113.9',
    steps: [...says('[203.0.113.9]'), prompt],
    check: gives(),
  },
  {
    id: 'D6',
    about: 'its own IPv6 literal',
    from: '2001:db8::1',
    steps: [...says('[IPv6:2001:db8::1]'), prompt],
    check: gives(),
  },
  {
    id: 'D6',
    about: 'in another spelling',
    from: '2001:db8::1',
    steps: [...says('[ipv6:2001:DB8:0::1]'), prompt],
    check: gives(),
  },
  {
    id: 'D10',
    about: 'our own name',
    steps: [...says('mx.example.org'), late],
    check: gives('helo-is-us'),
  },
  {
    id: 'D11',
    about: 'a name that is not its own',
    steps: [...says('hotmail.com'), late],
    check: gives('helo-no-jive'),
  },
  {
    id: 'D11',
    about: 'the DNS does not tell: no evidence',
    from: '203.0.113.11',
    steps: [...says('yahoo.com'), prompt],
    check: gives(),
  },
  ...[
    '$' + '{run{/bin/id}}',
    '$' + '{lookup{x}}',
    '() { :;}; /bin/id',
    '$' + '{jndi:ldap://x}',
    'a`id`',
    'a;id',
    'a|id',
    'a&b',
    '"a"',
    "'a'",
    'a<b>',
    'a\\b',
    'a=b',
    'a,b',
    'a\0b',
    'a\x7fb',
    'a\u2028b',
  ].map((helo) => ({ id: 'D13-D15', about: JSON.stringify(helo), steps: refused(helo) })),
  { id: 'D15', about: 'percent signs are data', steps: [...says('%s%n%d.example.com'), late] },
  {
    id: 'E1',
    about: 'a line break in the reverse name: no name at all, and nowhere in the header',
    from: '203.0.113.21',
    steps: [...says('c.example.com'), prompt, ['DATA', '354 '], ['.', '250 ']],
    check: async ({ backend, proxy, client }) => {
      assert.doesNotMatch(backend.messages.at(-1)?.toString() ?? '', /X-Spam/)
      client.leaves()
      await until(() => proxy.ledgers.at(-1)?.client === '203.0.113.21')
      assert.equal(proxy.ledgers.at(-1)?.hostname, '')
    },
  },
  ...['203.0.113.22', '203.0.113.23'].map((from) => ({
    id: 'E2, E13',
    about: 'specials, and a label that is too long',
    from,
    steps: [...says('c.example.com'), prompt, ['DATA', '354 '] as const, ['.', '250 '] as const],
    check: ({ backend }: Played) =>
      assert.match(
        backend.messages.at(-1)?.toString() ?? '',
        new RegExp(`^Received: from c\\.example\\.com \\(\\[${from}\\]\\)\r\n`),
      ),
  })),
  {
    id: 'E3',
    about: 'a trusted name that does not lead back earns no trust',
    from: '203.0.113.30',
    steps: [...says('computer'), late],
    check: gives('unqual-helo'),
  },
  {
    id: 'E3',
    about: 'one that does is trusted',
    from: '203.0.113.31',
    steps: [...says('computer'), prompt],
  },
  {
    id: 'E4',
    about: '40 names, the 38th of which leads back: not looked at',
    from: '203.0.113.40',
    steps: [...says('computer'), late],
  },
  {
    id: 'E6',
    about: 'SERVFAIL is no evidence, and is logged',
    from: '203.0.113.11',
    steps: [...says('c.example.com'), prompt],
    check: async (played) => {
      await gives()(played)
      const logged = played.proxy.events.findLast(({ name }) => name === 'identity.unavailable')
      assert.deepEqual(logged?.fields, { client: '203.0.113.11', why: 'SERVFAIL' })
    },
  },
  {
    id: 'E11',
    about: 'a DNS that is silent: its time is part of the delay',
    from: '203.0.113.50',
    steps: [...says('computer'), late],
  },
  {
    id: 'E11',
    about: 'and nobody else waits for it longer than a reason may take',
    from: '203.0.113.51',
    steps: [
      ...says('c.example.com'),
      ['RCPT TO:<b@example.net>', { afterMs: 15_000, hears: '250 ' }],
    ],
    check: gives(),
  },
]

playAll('names', rows, {
  proxy: {
    files: {
      good: '*.trusted.example\n',
      dubious_helo: 'hotmail.com\nyahoo.com\n',
      helo_accept_junk_hosts: '',
    },
    config: `
      gate.known_good = "good"
      reasons.helo-is-us.action = "delay"
      reasons.helo-is-us.weight = 10
      reasons.time_limit = "15s"
    `,
    dns: {
      ptr: {
        '203.0.113.2': ['dialup-free-349.nmsu.edu'],
        '203.0.113.21': ['a\r\nX-Spam-Status: No'],
        '203.0.113.22': [
          'a\0.example.com',
          'a b.example.com',
          'a(b).example.com',
          '[a].example.com',
          'a;b.example.com',
          '<a>.example.com',
        ],
        '203.0.113.23': [`${'a'.repeat(64)}.example.com`, `${'a.'.repeat(150)}example.com`],
        '203.0.113.30': ['relay.trusted.example'],
        '203.0.113.31': ['mail.trusted.example'],
        '203.0.113.40': Array.from({ length: 40 }, (_, at) =>
          at === 37 ? 'zz.trusted.example' : `n${at}.example.com`,
        ),
      },
      a: {
        'dialup-free-349.nmsu.edu': ['203.0.113.2'],
        'relay.trusted.example': ['198.51.100.1'],
        'mail.trusted.example': ['203.0.113.31'],
        'zz.trusted.example': ['203.0.113.40'],
        'hotmail.com': ['198.51.100.2'],
      },
      down: ['203.0.113.11', 'yahoo.com'],
      slowMs: { '203.0.113.50': 10 * minute, '203.0.113.51': 10 * minute },
    },
  },
})

playAll(
  'the names of an address as reasons',
  [
    {
      id: 'E3',
      about: 'a trusted name that does not lead back is a reason, and no name of the client',
      from: '203.0.113.30',
      steps: [...says('c.example.com'), late, ['DATA', '354 '], ['.', '250 ']],
      check: async (played) => {
        assert.deepEqual(await reasonsOf(played), ['botnet-baddns'])
        assert.equal(played.proxy.ledgers.at(-1)?.hostname, '')
        assert.doesNotMatch(played.backend.messages.at(-1)?.toString() ?? '', /trusted/)
      },
    },
    {
      id: 'E6',
      about: 'SERVFAIL is not the same as no name',
      from: '203.0.113.11',
      steps: [...says('c.example.com'), prompt],
      check: gives(),
    },
    {
      id: 'E6',
      about: 'nor is silence',
      from: '203.0.113.51',
      steps: [
        ...says('c.example.com'),
        ['RCPT TO:<b@example.net>', { afterMs: 15_000, hears: '250 ' }],
      ],
      check: gives(),
    },
    {
      id: 'E6 base',
      about: 'no name is',
      from: '203.0.113.60',
      steps: [...says('c.example.com'), late],
      check: gives('botnet-nordns'),
    },
    {
      id: 'D11',
      about: 'a DNS that does not answer in time is no evidence against a name either',
      from: '203.0.113.31',
      steps: [
        ...says('slow.example'),
        ['RCPT TO:<b@example.net>', { afterMs: 15_000, hears: '250 ' }],
      ],
      check: async (played) => {
        await gives()(played)
        // The DNS itself gives up some time.
        await played.proxy.clock.advance(5_000)
      },
    },
  ],
  {
    proxy: {
      files: {
        good: '*.trusted.example\n',
        dubious_helo: 'slow.example\n',
        helo_accept_junk_hosts: '',
      },
      config: `
        gate.known_good = "good"
        reasons.botnet-baddns.action = "delay"
        reasons.botnet-baddns.weight = 10
        reasons.botnet-nordns.action = "delay"
        reasons.botnet-nordns.weight = 10
        reasons.time_limit = "15s"
      `,
      dns: {
        ptr: { '203.0.113.30': ['relay.trusted.example'], '203.0.113.31': ['mail.example.com'] },
        a: {
          'relay.trusted.example': ['198.51.100.1'],
          'mail.example.com': ['203.0.113.31'],
          'slow.example': ['198.51.100.2'],
        },
        down: ['203.0.113.11'],
        slowMs: { '203.0.113.51': 10 * minute, 'slow.example': 20_000 },
      },
    },
  },
)

const listed = (client: string) => `${client.split('.').reverse().join('.')}.pbl.example`

playAll(
  'DNS lists',
  [
    {
      id: 'E9 base',
      about: 'a listing delays',
      from: '203.0.113.61',
      steps: [...says('c.example.com'), late],
      check: gives('sorbs-dul'),
    },
    {
      id: 'E10',
      about: 'an error code of the list is no listing',
      from: '203.0.113.62',
      steps: [...says('c.example.com'), prompt],
      check: gives(),
    },
    {
      id: 'E10',
      about: 'nor is a code that stands for something else',
      from: '203.0.113.63',
      steps: [...says('c.example.com'), prompt],
      check: gives(),
    },
    {
      id: 'E6',
      about: 'nor is a list that fails',
      from: '203.0.113.64',
      steps: [...says('c.example.com'), prompt],
      check: gives(),
    },
  ],
  {
    proxy: {
      config: 'reasons.sorbs-dul.zone = "pbl.example"',
      dns: {
        a: {
          [listed('127.0.0.2')]: ['127.0.0.2'],
          [listed('203.0.113.61')]: ['127.0.0.10'],
          [listed('203.0.113.62')]: ['127.255.255.254'],
          [listed('203.0.113.63')]: ['127.0.0.99'],
        },
        down: [listed('203.0.113.64')],
      },
    },
  },
)

playAll(
  'a DNS list that lists everybody',
  [
    {
      id: 'E9',
      about: 'is ignored, and the operator told',
      from: '203.0.113.61',
      steps: [...says('c.example.com'), prompt],
      check: async (played) => {
        await gives()(played)
        assert.equal(played.proxy.app.log.counts['dns-list.set-aside'], 1)
      },
    },
  ],
  {
    proxy: {
      config: 'reasons.sorbs-dul.zone = "pbl.example"',
      dns: {
        a: {
          [listed('127.0.0.1')]: ['127.0.0.2'],
          [listed('127.0.0.2')]: ['127.0.0.2'],
          [listed('203.0.113.61')]: ['127.0.0.10'],
        },
      },
    },
  },
)

// What is pipelined together with EHLO is judged, not lost.
playAll('names in a hurry', [
  {
    id: 'D2 relative',
    about: 'everything at once',
    steps: [
      ...opened,
      [
        raw('EHLO computer\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\n'),
        '250-',
        '250 ',
        { afterMs: 90_000, hears: '250 ' },
      ],
    ],
  },
])
