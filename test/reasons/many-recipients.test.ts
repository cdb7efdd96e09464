/** many-recipients: how many are many, of a message and of a bounce. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manyRecipients } from '../../src/reasons/many-recipients.ts'
import { type EveryFact, factsOf, senderOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  { facts: { recipientCount: 99 }, is: null, because: 'mailing lists do that' },
  {
    facts: { recipientCount: 100 },
    is: 'recipient 100 of one message',
    because: 'RFC 5321 asks for no more to be taken',
  },
  { facts: { recipientCount: 1, sender: senderOf('') }, is: null, because: 'a bounce goes to one' },
  {
    facts: { recipientCount: 2, sender: senderOf('') },
    is: 'recipient 2 of one message',
    because: 'and not to two',
  },
]

describe('many-recipients', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = manyRecipients.prepare(manyRecipients.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }
})
