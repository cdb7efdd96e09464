/** The reasons that are in use, as the [reasons] table says. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { delayOptions } from '../../src/delay/options.ts'
import type { DnsListSettings } from '../../src/dns/dns-list.ts'
import { prepareReasons, type ReasonsAt, reasonsOptions } from '../../src/reasons/index.ts'
import type { AnyReason } from '../../src/reasons/reason.ts'
import { ipOf } from '../dns/worlds.ts'
import { factsOf, sharedOf, type Taste, toolsFor } from './worlds.ts'

const client = ipOf('192.0.2.1')

describe('prepareReasons', () => {
  it('uses every reason by default, each at its stage and with its weight', () => {
    assert.deepEqual(names(prepare({})), {
      connect: [
        'sorbs-dul delay 10',
        'botnet-nordns delay 5',
        'botnet-baddns delay 4',
        'botnet-ipinhostname delay 1',
        'botnet-clientwords delay 2',
        'botnet-client delay 4',
        'botnet-serverwords delay -10',
      ],
      greeting: ['early-talker delay 10', 'other-protocol delay 10'],
      helo: [
        'unqual-helo delay 10',
        'helo-no-jive delay 10',
        'hostname-dsl-or-dialup delay 10',
        'helo-bare-ip delay 10',
        'helo-localhost delay 10',
        'helo-is-us delay 10',
        'helo-changed delay 4',
        'helo-dynamic delay 4',
      ],
      mail: ['botnet-soho delay -10'],
      rcpt: [
        'pipelined-too-soon delay 5',
        'unknown-recipients delay 5',
        'many-recipients observe 3',
      ],
    })
  })

  it("keeps Flavell's rule for his four: any of them earns the whole delay", () => {
    const { full_at } = delayOptions.parse({})
    const all = Object.values(prepare({})).flat()
    for (const name of ['sorbs-dul', 'unqual-helo', 'helo-no-jive', 'hostname-dsl-or-dialup']) {
      assert.equal(all.find((each) => each.name === name)?.weight, full_at, name)
    }
  })

  const all = Object.values(names(prepare({})))
    .flat()
    .map((text) => text.split(' ')[0] ?? '')
  for (const name of all) {
    it(`leaves ${name} out when it is off, and only that`, () => {
      const left = Object.values(names(prepare({ [name]: { action: 'off' } }))).flat()
      assert.deepEqual(
        left.map((text) => text.split(' ')[0]),
        all.filter((each) => each !== name),
      )
    })

    it(`knows every action for ${name}, its weight, and no other key`, () => {
      for (const action of ['observe', 'delay', 'greylist', 'reject']) {
        const set = prepare({ [name]: { action, weight: 7 } })
        const found = Object.values(set)
          .flat()
          .find((each) => each.name === name)
        assert.deepEqual([found?.action, found?.weight], [action, 7])
      }
      for (const table of [{ action: 'bounce' }, { weight: -1 }, { delay: '15s' }]) {
        assert.equal(reasonsOptions.safeParse({ [name]: table }).success, false)
      }
    })
  }

  it('looks for a reason that is off but wanted for some domain, and it only observes', () => {
    const options = reasonsOptions.parse({ 'unqual-helo': { action: 'off' } })
    const wanted = new Set(['unqual-helo'])
    const { helo } = prepareReasons(options, { ...sharedOf(), wanted })
    assert.equal(helo.find(({ name }) => name === 'unqual-helo')?.action, 'observe')
  })

  it('opens no DNS list for a reason that is off', () => {
    const opened: DnsListSettings[] = []
    const shared = sharedOf()
    const watched = {
      ...shared,
      openList: (settings: DnsListSettings) => {
        opened.push(settings)
        return shared.openList(settings)
      },
    }
    prepareReasons(reasonsOptions.parse({ 'sorbs-dul': { action: 'off' } }), watched)
    assert.deepEqual(opened, [])
    prepareReasons(reasonsOptions.parse({}), watched)
    assert.deepEqual(opened, [
      {
        name: 'sorbs-dul',
        zone: 'pbl.spamhaus.org',
        codes: ['127.0.0.10', '127.0.0.11'],
        ipv6: true,
        of: 'address',
      },
    ])
  })

  it('writes the headers of the recipe for the two reasons that had one', () => {
    const reasons = prepare({})
    const facts = factsOf({ client, helo: 'MarineGuy', earlyTalk: 'x' })
    const headers = [...reasons.connect, ...reasons.greeting, ...reasons.helo].flatMap((reason) => {
      const header = reason.header(facts)
      return header === null ? [] : [`${reason.name}: ${header}`]
    })
    assert.deepEqual(headers, [
      "unqual-helo: X-HELO-warning: That's a nasty HELO: MarineGuy",
      'helo-no-jive: X-HELO-dubious: Your HELO/EHLO does not jive',
    ])
  })

  it('hands what is shared on to each reason', async () => {
    const reasons = prepare({}, { flavellExact: true, acceptJunk: ['198.51.100.1'] })
    const facts = factsOf({ client, helo: '[192.0.2.1]' })
    const found = reasons.helo.slice(0, 2).map((reason) => reason.find(facts, toolsFor(client)))
    assert.deepEqual(await Promise.all(found), ['HELO [192.0.2.1]', null])
  })
})

describe('reasonsOptions', () => {
  it('has its defaults', () => {
    const { flavell_exact, screened, helo_accept_junk_hosts, time_limit } = reasonsOptions.parse({})
    assert.deepEqual(
      [flavell_exact, screened, helo_accept_junk_hosts, time_limit],
      [false, '', 'helo_accept_junk_hosts', 10_000],
    )
  })

  it('knows no other reasons', () => {
    assert.equal(reasonsOptions.safeParse({ 'no-such-reason': {} }).success, false)
  })
})

function prepare(table: Readonly<Record<string, unknown>>, taste: Taste = {}): ReasonsAt {
  return prepareReasons(reasonsOptions.parse(table), sharedOf(taste))
}

function names(reasons: ReasonsAt): Readonly<Record<string, readonly string[]>> {
  const stages = Object.entries({ ...reasons })
  for (const [stage, list] of stages) {
    for (const reason of list) assert.equal(reason.stage, stage)
  }
  return Object.fromEntries(stages.map(([stage, list]) => [stage, list.map(line)]))
}

function line({ name, action, weight, excuses }: AnyReason): string {
  return `${name} ${action} ${excuses.length > 0 ? -weight : weight}`
}
