/** crowd: how many of one network are too many. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crowd } from '../../src/reasons/crowd.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  { facts: { fromNetwork: 1 }, is: null, because: 'one is no crowd' },
  { facts: { fromNetwork: 19 }, is: null, because: 'nor are nineteen' },
  { facts: { fromNetwork: 20 }, is: '20 connections from 192.0.2.0/24', because: 'twenty are' },
]

describe('crowd', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = crowd.prepare(crowd.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }

  it('is off unless asked for, and counts as it is told', async () => {
    assert.equal(crowd.options.parse({}).action, 'off')
    const { find } = crowd.prepare(crowd.options.parse({ connections: 2 }), sharedOf())
    const facts = factsOf({ client: '2001:db8::1', fromNetwork: 2 })
    assert.equal(await find(facts, toolsFor('2001:db8::1')), '2 connections from 2001:db8::/64')
  })
})
