/** helo-is-us: nobody but us is us. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heloIsUs } from '../../src/reasons/helo-is-us.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  {
    facts: { helo: 'mx.example.org' },
    is: 'HELO mx.example.org is us',
    because: 'that is our name',
  },
  {
    facts: { helo: 'MX.Example.ORG.' },
    is: 'HELO MX.Example.ORG. is us',
    because: 'in any spelling',
  },
  {
    facts: { helo: '192.0.2.25' },
    is: 'HELO 192.0.2.25 is us',
    because: 'that is the address it has reached',
  },
  {
    facts: { helo: '[192.0.2.25]' },
    is: 'HELO [192.0.2.25] is us',
    because: 'with or without brackets',
  },
  { facts: { helo: '[192.0.2.1]' }, is: null, because: 'that is its own address' },
  {
    facts: { helo: 'mx.example.org', local: '192.0.2.1' },
    is: null,
    because: 'it calls from our own host',
  },
  { facts: { helo: 'x.mx.example.org' }, is: null, because: 'that is another name' },
  { facts: { helo: 'mail.example.net' }, is: null, because: 'that is somebody else' },
]

describe('helo-is-us', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = heloIsUs.prepare(heloIsUs.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }
})
