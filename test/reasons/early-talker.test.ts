/** early-talker: what was said before the greeting, if anything was. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { earlyTalker } from '../../src/reasons/early-talker.ts'
import { factsOf, sharedOf, toolsFor } from './worlds.ts'

describe('early-talker', () => {
  const cases = [
    { earlyTalk: null, is: null, because: 'it waited' },
    { earlyTalk: 'EHLO x\r\n', is: 'sent "EHLO x\\x0d\\x0a"', because: 'it did not' },
    { earlyTalk: '\r\n', is: 'sent "\\x0d\\x0a"', because: 'any byte counts (facts.md 2.2)' },
    { earlyTalk: 'G', is: 'sent "G"', because: 'one byte is enough' },
    { earlyTalk: '', is: 'sent ""', because: 'it is said that it talked, though not what' },
    { earlyTalk: '\x16\x03\x01', is: 'sent "\\x16\\x03\\x01"', because: 'it took us for TLS' },
    { earlyTalk: 'x'.repeat(61), is: `sent "${'x'.repeat(60)}..."`, because: '60 are enough' },
  ]
  for (const { earlyTalk, is, because } of cases) {
    it(`${JSON.stringify(earlyTalk)?.slice(0, 20)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = earlyTalker.prepare(earlyTalker.options.parse({}), sharedOf())
      const facts = factsOf({ client: '192.0.2.1', earlyTalk })
      assert.equal(await find(facts, toolsFor('192.0.2.1')), is)
    })
  }
})
