/** The DNS for one connection: so many questions and no more. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountedDns } from '../../src/dns/counted.ts'
import { fakeDns } from '../helpers/fake-dns.ts'
import { ipOf, stays } from './worlds.ts'

describe('CountedDns', () => {
  it('answers up to its bound, then knows nothing and says so once', async () => {
    let spent = 0
    const inner = fakeDns({ a: { 'a.example': ['192.0.2.1'] }, txt: { 'a.example': ['x'] } })
    const owner = {
      spent: () => {
        spent += 1
      },
    }
    const dns = new CountedDns(inner, 4, owner)
    const answers = [
      await dns.addresses('a.example', 4, stays()),
      await dns.pointers(ipOf('192.0.2.1'), stays()),
      await dns.texts('a.example', stays()),
      await dns.exchanges('a.example', stays()),
      await dns.addresses('a.example', 4, stays()),
      await dns.texts('a.example', stays()),
    ]
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ['found', 'none', 'found', 'none', 'unavailable', 'unavailable'],
    )
    assert.deepEqual([dns.count, spent, inner.asked.length], [6, 1, 4])
  })
})
