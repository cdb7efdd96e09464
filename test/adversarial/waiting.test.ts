/** The catalogue, L and M: the delay itself, and greylisting. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { delayOptions } from '../../src/delay/options.ts'
import { targetFor } from '../../src/delay/policy.ts'
import { Greylist } from '../../src/memory/greylist.ts'
import { greylistOptions } from '../../src/memory/options.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { greeted, playAll, type Step } from './lines.ts'

const opened = greeted.slice(0, 1)
const says = (helo: string): readonly Step[] => [
  ...opened,
  [`EHLO ${helo}`, '250-'],
  ['MAIL FROM:<a@example.com>', '250 2.1.0'],
]
const rcpt = (name: string, afterMs: number, hears = '250 '): Step => [
  `RCPT TO:<${name}@example.net>`,
  { afterMs, hears },
]

playAll('the delay', [
  { id: 'L1', about: 'one reason: to the second', steps: [...says('computer'), rcpt('b', 90_000)] },
  {
    id: 'L4',
    about: '20 recipients: no more than the budget of the session in all',
    steps: [
      ...says('computer'),
      ...[90_000, 90_000, 90_000, ...Array.from({ length: 17 }, () => 0)].map((afterMs, at) =>
        rcpt(`u${at}`, afterMs),
      ),
    ],
  },
  { id: 'L5', about: 'no reason, no delay', steps: [...says('c.example.com'), rcpt('b', 0)] },
])

playAll(
  'a reason that arises late',
  [
    {
      id: 'L6',
      about: 'applies from then on',
      steps: [...says('c.example.com'), rcpt('a', 0), rcpt('b', 0), rcpt('c', 90_000)],
    },
  ],
  {
    proxy: {
      config:
        'reasons.many-recipients.action = "delay"\nreasons.many-recipients.weight = 10\nreasons.many-recipients.recipients = 3',
    },
  },
)

describe('the delay of each network', () => {
  it('L9: lies in the range, is the same each time, and another for another network or key', () => {
    const options = delayOptions.parse({ target: ['75s', '150s'] })
    const of = (network: string, key: string) => targetFor(network, Buffer.from(key), options)
    const networks = Array.from({ length: 1_000 }, (_, at) => `198.18.${at}.0/24`)
    const targets = networks.map((network) => of(network, 'key'))
    assert.ok(targets.every((ms) => ms >= 75_000 && ms <= 150_000))
    assert.deepEqual(
      targets,
      networks.map((network) => of(network, 'key')),
    )
    assert.ok(new Set(targets).size > 900, 'spread')
    const tenths = Array.from({ length: 10 }, (_, tenth) => {
      const from = 75_000 + tenth * 7_500
      return targets.filter((ms) => ms >= from && ms < from + 7_500).length
    })
    assert.ok(
      tenths.every((count) => count > 60 && count < 140),
      `${tenths}`,
    )
    assert.notDeepEqual(
      targets,
      networks.map((network) => of(network, 'another key')),
    )
  })
})

const greylist = { proxy: { config: 'reasons.unqual-helo.action = "greylist"' } }

playAll(
  'greylisting',
  [
    {
      id: 'M1',
      about: 'first sight, with a reason',
      from: '203.0.113.1',
      steps: [...says('computer'), rcpt('b', 0, '450 4.7.1')],
    },
    {
      id: 'M9',
      about: 'none without',
      from: '203.0.113.1',
      steps: [...says('c.example.com'), rcpt('b', 0)],
    },
    {
      id: 'M1',
      about: 'too soon',
      from: '203.0.113.1',
      steps: [...says('computer'), rcpt('b', 0, '450 4.7.1')],
    },
    {
      id: 'M6',
      about: 'a callout hears at RCPT what the back end says; a bounce is put off at DATA',
      from: '203.0.113.1',
      steps: [
        ['', '220 '],
        ['EHLO computer', '250-'],
        ['MAIL FROM:<>', '250 2.1.0'],
        rcpt('b', 0),
        ['DATA', '450 4.7.1'],
        ['MAIL FROM:<a@example.com>', '250 2.1.0'],
        rcpt('b', 0, '450 4.7.1'),
      ],
    },
    {
      id: 'M2, M3',
      about: 'later, from a neighbour of it',
      from: '203.0.113.77',
      steps: [],
      check: async ({ client, proxy }) => {
        await client.hears('220 ')
        await proxy.clock.advance(61_000)
        client.says('EHLO computer')
        await client.hears('250-')
        client.says('MAIL FROM:<a@example.com>')
        await client.hears('250 ')
        client.says('RCPT TO:<b@example.net>')
        await client.hears('250 ')
      },
    },
    {
      id: 'M10',
      about: 'never for whom the operator knows',
      from: '198.51.100.1',
      steps: [...says('computer'), rcpt('b', 0)],
    },
    {
      id: 'M10',
      about: 'nor for one whose name is known and leads back to it',
      from: '203.0.114.1',
      steps: [...says('computer'), rcpt('b', 0)],
    },
    {
      id: 'M10',
      about: 'but for one whose name does not',
      from: '203.0.115.1',
      steps: [...says('computer'), rcpt('b', 0, '450 4.7.1')],
    },
    {
      id: 'M10',
      about: 'a name that a client only says of itself excuses nothing',
      from: '203.0.116.1',
      steps: [
        ['', '220 '],
        ['EHLO computer', '250-'],
        ['EHLO mail.retries.example', '250-'],
        ['EHLO computer', '250-'],
        ['MAIL FROM:<a@retries.example>', '250 2.1.0'],
        rcpt('b', 0, '450 4.7.1'),
      ],
    },
  ],
  {
    proxy: {
      ...greylist.proxy,
      files: {
        good: '198.51.100.0/24\n*.retries.example\n',
        dubious_helo: '',
        helo_accept_junk_hosts: '',
      },
      dns: {
        ptr: { '203.0.114.1': ['mail.retries.example'], '203.0.115.1': ['mail.retries.example'] },
        a: { 'mail.retries.example': ['203.0.114.1'] },
      },
      config: `${greylist.proxy.config}\ngate.known_good = "good"`,
    },
  },
)

describe('a spam run', () => {
  it('M7: a million tries are remembered within bounds', () => {
    const clock = new FakeClock()
    const list = new Greylist(clock, greylistOptions.parse({ entries_max: 10_000 }))
    for (let count = 0; count < 1_000_000; count += 1)
      list.passes(`198.${count >> 16}.${(count >> 8) & 255}.0/24`, `d${count}.example`)
    assert.ok(list.size <= 10_000)
  })

  it('M7: what is over makes room for all that comes, and nobody waits until all of it is swept out', async () => {
    const clock = new FakeClock()
    const options = greylistOptions.parse({ entries_max: 10_000 })
    const list = new Greylist(clock, options)
    for (let count = 0; count < 10_000; count += 1)
      list.passes('198.18.0.0/24', `a${count}.example`)
    await clock.advance(options.window + 1)
    for (let count = 0; count < 10_000; count += 1) {
      const sizeBefore = list.size
      assert.equal(list.passes('198.18.0.0/24', `b${count}.example`), false, 'it is remembered')
      assert.ok(list.size > sizeBefore - 1_001 && list.size <= 10_000)
    }
  })
})
