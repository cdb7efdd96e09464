/** botnet-nordns: no name is evidence, no answer is none. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { botnetNordns } from '../../src/reasons/botnet-nordns.ts'
import { found } from './botnet-worlds.ts'

describe('botnet-nordns', () => {
  const cases = [
    { host: 'mail.example.net', is: null, letter: null, because: 'it has a name' },
    { host: null, is: 'no name for 192.0.2.1', letter: 'no name for 192.0.2.1', because: 'none' },
    {
      host: { down: ['192.0.2.1'] },
      is: null,
      letter: 'no name for 192.0.2.1',
      because: 'SERVFAIL proves nothing, but to the letter',
    },
    {
      host: { ptr: { '192.0.2.1': ['mail.example.net'] } },
      is: null,
      letter: null,
      because: 'a name that leads nowhere is a name',
    },
  ]
  for (const { host, is, letter, because } of cases) {
    it(`${is ?? 'nothing'}: ${because}`, async () => {
      assert.equal(await found(botnetNordns, { host }), is)
      assert.equal(await found(botnetNordns, { host, botnet: { exact: true } }), letter)
    })
  }

  it('is about IPv6 as well', async () => {
    assert.equal(
      await found(botnetNordns, { ip: '2001:db8::1', host: null }),
      'no name for 2001:db8::1',
    )
  })
})
