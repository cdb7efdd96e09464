/** The reasons that are in use, as the [reasons] table says. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DnsListSettings } from '../../src/dns/dns-list.ts'
import { prepareReasons, type ReasonsAt, reasonsOptions } from '../../src/reasons/index.ts'
import { ipOf } from '../dns/worlds.ts'
import { sharedOf, type Taste, toolsFor } from './worlds.ts'

const client = ipOf('192.0.2.1')

describe('prepareReasons', () => {
  it('uses every reason by default, each at its stage, each with a delay', () => {
    assert.deepEqual(names(prepare({})), {
      connect: ['sorbs-dul delay', 'hostname-dsl-or-dialup delay'],
      greeting: ['early-talker delay'],
      helo: ['unqual-helo delay', 'helo-no-jive delay'],
      mail: [],
      rcpt: [],
    })
  })

  const all = ['sorbs-dul', 'hostname-dsl-or-dialup', 'early-talker', 'unqual-helo', 'helo-no-jive']
  for (const name of all) {
    it(`leaves ${name} out when it is off, and only that`, () => {
      const left = Object.values(names(prepare({ [name]: { action: 'off' } }))).flat()
      assert.deepEqual(
        left,
        all.filter((each) => each !== name).map((each) => `${each} delay`),
      )
    })

    it(`keeps ${name} when it only observes`, () => {
      const left = Object.values(names(prepare({ [name]: { action: 'observe' } }))).flat()
      assert.deepEqual(
        left,
        all.map((each) => `${each} ${each === name ? 'observe' : 'delay'}`),
      )
    })

    it(`knows no other action for ${name} and no other key`, () => {
      for (const table of [{ action: 'reject' }, { delay: '15s' }]) {
        assert.equal(reasonsOptions.safeParse({ [name]: table }).success, false)
      }
    })
  }

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
      },
    ])
  })

  it('writes the headers of the recipe for the two reasons that had one', () => {
    const reasons = prepare({})
    const facts = { client, helo: 'MarineGuy', earlyTalk: 'x' }
    const headers = [...reasons.connect, ...reasons.greeting, ...reasons.helo].map((reason) =>
      reason.header(facts),
    )
    assert.deepEqual(headers, [
      null,
      null,
      null,
      "X-HELO-warning: That's a nasty HELO: MarineGuy",
      'X-HELO-dubious: Your HELO/EHLO does not jive',
    ])
  })

  it('hands what is shared on to each reason', async () => {
    const reasons = prepare({}, { flavellExact: true, acceptJunk: ['198.51.100.1'] })
    const found = reasons.helo.map((reason) =>
      reason.find({ client, helo: '[192.0.2.1]' }, toolsFor(client)),
    )
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
  return Object.fromEntries(
    stages.map(([stage, list]) => [stage, list.map(({ name, action }) => `${name} ${action}`)]),
  )
}
