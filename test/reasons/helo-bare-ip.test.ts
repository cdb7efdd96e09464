/** helo-bare-ip: an address is no name. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heloBareIp } from '../../src/reasons/helo-bare-ip.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  {
    facts: { helo: '192.0.2.1' },
    is: 'HELO 192.0.2.1 is an address without brackets',
    because: 'it lacks its brackets',
  },
  {
    facts: { helo: '203.0.113.9' },
    is: 'HELO 203.0.113.9 is an address without brackets',
    because: 'whoever it belongs to',
  },
  {
    facts: { helo: '192.0.2.1.' },
    is: 'HELO 192.0.2.1. is an address without brackets',
    because: 'a dot makes no name of it',
  },
  {
    facts: { helo: '2001:db8::1' },
    is: 'HELO 2001:db8::1 is an address without brackets',
    because: 'IPv6 is an address, too',
  },
  {
    facts: { helo: 'IPv6:2001:db8::1' },
    is: 'HELO IPv6:2001:db8::1 is an address without brackets',
    because: 'the tag is no bracket',
  },
  { facts: { helo: '[192.0.2.1]' }, is: null, because: 'that is what RFC 5321 asks for' },
  { facts: { helo: '192.0.2' }, is: null, because: 'that is no address; unqual-helo sees to it' },
  { facts: { helo: 'mail.example.org' }, is: null, because: 'it is a name' },
]

describe('helo-bare-ip', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = heloBareIp.prepare(heloBareIp.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }

  it('leaves alone whose HELO is not judged', async () => {
    const shared = sharedOf({ acceptJunk: ['192.0.2.0/24'] })
    const { find } = heloBareIp.prepare(heloBareIp.options.parse({}), shared)
    const facts = factsOf({ client: '192.0.2.1', helo: '192.0.2.1' })
    assert.equal(await find(facts, toolsFor('192.0.2.1')), null)
  })
})
