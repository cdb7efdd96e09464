/** pipelined-too-soon: what the session has noticed. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipelinedTooSoon } from '../../src/reasons/pipelined-too-soon.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  { facts: { tooSoon: null }, is: null, because: 'it always waited' },
  { facts: { tooSoon: 'EHLO' }, is: 'did not wait for the reply to EHLO', because: 'it did not' },
]

describe('pipelined-too-soon', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = pipelinedTooSoon.prepare(pipelinedTooSoon.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }
})
