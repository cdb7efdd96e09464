/** other-protocol: who talks early, and not SMTP. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { otherProtocol } from '../../src/reasons/other-protocol.ts'
import { type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

const cases: readonly {
  facts: Partial<EveryFact>
  is: string | null
  because: string
}[] = [
  { facts: { earlyTalk: '\x16\x03\x01\x02\x00\x01' }, is: 'talks TLS', because: 'a hello of TLS' },
  { facts: { earlyTalk: 'GET / HTTP/1.1\r\nHost: x\r\n' }, is: 'talks HTTP', because: 'a browser' },
  {
    facts: { earlyTalk: 'CONNECT a:25 HTTP/1.0\r\n' },
    is: 'talks HTTP',
    because: 'who looks for a proxy',
  },
  { facts: { earlyTalk: 'PRI * HTTP/2.0\r\n' }, is: 'talks HTTP', because: 'HTTP/2' },
  {
    facts: { earlyTalk: '\x04\x01\x00\x19' },
    is: 'talks SOCKS 4',
    because: 'who looks for a proxy',
  },
  { facts: { earlyTalk: '\x05\x01\x00' }, is: 'talks SOCKS 5', because: 'who looks for a proxy' },
  { facts: { earlyTalk: 'SSH-2.0-Go\r\n' }, is: 'talks SSH', because: 'who tries every port' },
  { facts: { earlyTalk: null }, is: null, because: 'it waited' },
  { facts: { earlyTalk: '' }, is: null, because: 'it is not said what' },
  { facts: { earlyTalk: 'EHLO x\r\n' }, is: null, because: 'that is SMTP, if early' },
  { facts: { earlyTalk: 'GET a mailbox\r\n' }, is: null, because: 'that is no request' },
  { facts: { earlyTalk: '\x16' }, is: null, because: 'one byte says little' },
]

describe('other-protocol', () => {
  for (const { facts, is, because } of cases) {
    it(`${JSON.stringify(facts)}: ${is ?? 'nothing'}, because ${because}`, async () => {
      const { find } = otherProtocol.prepare(otherProtocol.options.parse({}), sharedOf())
      const { client: _, ...rest } = facts
      assert.equal(await find(factsOf({ client: '192.0.2.1', ...rest }), toolsFor('192.0.2.1')), is)
    })
  }
})
