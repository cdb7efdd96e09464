/** helo-changed: one host, one name. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heloChanged } from '../../src/reasons/helo-changed.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  { facts: { helo: 'a.example', heloBefore: null }, is: null, because: 'it is the first' },
  {
    facts: { helo: 'a.example', heloBefore: 'a.example' },
    is: null,
    because: 'it says the same again, as after STARTTLS',
  },
  {
    facts: { helo: 'A.example.', heloBefore: 'a.example' },
    is: null,
    because: 'spelling does not matter',
  },
  {
    facts: { helo: 'b.example', heloBefore: 'a.example' },
    is: 'HELO b.example after HELO a.example',
    because: 'it has two names',
  },
  {
    facts: { helo: '[192.0.2.1]', heloBefore: 'a.example' },
    is: 'HELO [192.0.2.1] after HELO a.example',
    because: 'a literal is another',
  },
  {
    facts: { helo: 'x\x00y', heloBefore: 'a' },
    is: 'HELO x\\x00y after HELO a',
    because: 'strangers choose the bytes',
  },
]

describe('helo-changed', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = heloChanged.prepare(heloChanged.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }
})
