/** helo-dynamic: a client that calls itself by the name of its line. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heloDynamic } from '../../src/reasons/helo-dynamic.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  {
    facts: { helo: 'c-192-0-2-1.hsd1.example.net' },
    is: 'HELO c-192-0-2-1.hsd1.example.net has "192-0-2"',
    because: 'its address is in it',
  },
  {
    facts: { helo: 'DSL7.Example.NET' },
    is: 'HELO dsl7.example.net has "[a-z]*dsl"',
    because: 'it has a word for such lines',
  },
  {
    facts: { helo: 'mail.dsl7.example.net' },
    is: null,
    because: 'it has a word for servers as well',
  },
  { facts: { helo: 'dsl.example' }, is: null, because: 'the registered domain says nothing' },
  { facts: { helo: 'dsl7' }, is: null, because: 'it is no name; unqual-helo sees to it' },
  { facts: { helo: '[192.0.2.1]' }, is: null, because: 'a literal is no name' },
  { facts: { helo: 'mail.example.net' }, is: null, because: 'it is a name like another' },
]

describe('helo-dynamic', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = heloDynamic.prepare(heloDynamic.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }

  it('leaves alone whose HELO is not judged', async () => {
    const shared = sharedOf({ acceptJunk: ['192.0.2.0/24'] })
    const { find } = heloDynamic.prepare(heloDynamic.options.parse({}), shared)
    const facts = factsOf({ client: '192.0.2.1', helo: 'dsl7.example.net' })
    assert.equal(await find(facts, toolsFor('192.0.2.1')), null)
  })
})
