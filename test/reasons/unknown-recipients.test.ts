/** unknown-recipients: how many refusals are too many. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unknownRecipients } from '../../src/reasons/unknown-recipients.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  { facts: { refusedCount: 0 }, is: null, because: 'none was refused' },
  { facts: { refusedCount: 2 }, is: null, because: 'two are slips' },
  { facts: { refusedCount: 3 }, is: '3 recipients refused', because: 'three are a list' },
]

describe('unknown-recipients', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = unknownRecipients.prepare(unknownRecipients.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }

  it('counts as it is told', async () => {
    const { find } = unknownRecipients.prepare(
      unknownRecipients.options.parse({ refusals: 1 }),
      sharedOf(),
    )
    const facts = factsOf({ client: '192.0.2.1', refusedCount: 1 })
    assert.equal(await find(facts, toolsFor('192.0.2.1')), '1 recipients refused')
  })
})
