/** botnet-baddns: names that lead elsewhere are evidence, names that cannot be looked up are none. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { botnetBaddns } from '../../src/reasons/botnet-baddns.ts'
import type { FakeRecords } from '../helpers/fake-dns.ts'
import { found } from './botnet-worlds.ts'

const name = 'mail.example.net'
const ptr = { '192.0.2.1': [name] }
const bad = `${name} does not lead to 192.0.2.1`

describe('botnet-baddns', () => {
  const cases: readonly {
    host: string | null | FakeRecords
    is: boolean
    letter: boolean
    because: string
  }[] = [
    { host: name, is: false, letter: false, because: 'it leads back' },
    { host: null, is: false, letter: false, because: 'it has no name: that is botnet-nordns' },
    { host: { ptr }, is: true, letter: true, because: 'it leads nowhere' },
    { host: { ptr, a: { [name]: ['192.0.2.2'] } }, is: true, letter: true, because: 'elsewhere' },
    {
      host: { ptr, a: { [name]: ['192.0.2.2', '192.0.2.1'] } },
      is: false,
      letter: false,
      because: 'all records count',
    },
    {
      host: { ptr, down: [name] },
      is: false,
      letter: true,
      because: 'SERVFAIL proves nothing, but to the letter of 0.8',
    },
    {
      host: { ptr: { '192.0.2.1': [name, 'b.example'] }, a: { 'b.example': ['192.0.2.1'] } },
      is: false,
      letter: true,
      because: 'any name that leads back will do; the original takes the first',
    },
  ]
  for (const { host, is, letter, because } of cases) {
    it(`${is}, ${letter} to the letter: ${because}`, async () => {
      assert.equal(await found(botnetBaddns, { host }), is ? bad : null)
      assert.equal(
        await found(botnetBaddns, { host, botnet: { exact: true } }),
        letter ? bad : null,
      )
    })
  }
})
