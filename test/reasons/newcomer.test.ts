/** newcomer: somebody of a network that was never here. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newcomer } from '../../src/reasons/newcomer.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  {
    facts: { seenBefore: false },
    is: 'nobody from 192.0.2.0/24 has been here',
    because: 'that is so',
  },
  { facts: { seenBefore: true }, is: null, because: 'somebody has' },
  { facts: { seenBefore: null }, is: null, because: 'nobody remembers' },
]

describe('newcomer', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = newcomer.prepare(newcomer.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }

  it('is off unless asked for: it is true of every honest sender once', () => {
    assert.equal(newcomer.options.parse({}).action, 'off')
  })
})
