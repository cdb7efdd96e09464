/** helo-localhost: the name that everybody has for himself. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heloLocalhost } from '../../src/reasons/helo-localhost.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  {
    facts: { helo: 'localhost' },
    is: "HELO localhost is the client's own name for itself",
    because: 'it is the name',
  },
  {
    facts: { helo: 'LOCALHOST' },
    is: "HELO LOCALHOST is the client's own name for itself",
    because: 'in any case',
  },
  {
    facts: { helo: 'localhost.localdomain' },
    is: "HELO localhost.localdomain is the client's own name for itself",
    because: 'with its usual domain',
  },
  {
    facts: { helo: 'localhost.' },
    is: "HELO localhost. is the client's own name for itself",
    because: 'with a dot',
  },
  {
    facts: { helo: 'pc.localhost' },
    is: "HELO pc.localhost is the client's own name for itself",
    because: 'names below it mean the same (RFC 6761)',
  },
  { facts: { helo: 'localhost.example.org' }, is: null, because: 'that is a name of example.org' },
  { facts: { helo: 'mylocalhost' }, is: null, because: 'it is another word' },
  {
    facts: { helo: 'ubuntu.localdomain' },
    is: null,
    because: 'it has a name of its own, if a poor one',
  },
  { facts: { helo: 'mail.example.org' }, is: null, because: 'it is a name' },
]

describe('helo-localhost', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = heloLocalhost.prepare(heloLocalhost.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }
})
