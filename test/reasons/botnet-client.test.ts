/** botnet-client: address or client word in the name, and no server word. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { botnetClient } from '../../src/reasons/botnet-client.ts'
import { found } from './botnet-worlds.ts'

describe('botnet-client', () => {
  const cases = [
    { host: 'x-192-0-2-1.example.net', is: true, because: 'the address is in the name' },
    { host: 'dsl7.example.net', is: true, because: 'it has a client word' },
    { host: 'mail.dsl7.example.net', is: false, because: 'it has a server word as well' },
    { host: 'mx-192-0-2-1.example.net', is: false, because: 'it has a server word as well' },
    { host: 'www.example.net', is: false, because: 'it has neither' },
    { host: null, is: false, because: 'it has no name' },
    {
      host: { ptr: { '192.0.2.1': ['mail.dsl7.example.net'] } },
      is: true,
      because: 'a server word in a name that does not lead back excuses nobody',
    },
    {
      host: { ptr: { '192.0.2.1': ['dsl7.example.net'] }, down: ['dsl7.example.net'] },
      is: true,
      because: 'a name that accuses need not lead back',
    },
  ]
  for (const { host, is, because } of cases) {
    it(`${is}: ${because}`, async () => {
      assert.equal((await found(botnetClient, { host })) !== null, is)
    })
  }
})
