/** A few faults with a few messages; `npm run faults` has them all, with hundreds. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { faultsFor } from './faults.ts'
import { play } from './play.ts'

const plays = [
  { name: 'kill -9 the back end after it is stored, before the 250', memory: true },
  { name: 'kill -9 Treacle in the middle of the content', memory: true },
  { name: 'kill -9 the client after it is stored, before the 250', memory: true },
  { name: 'kill -9 the client after it is stored, before the 250', memory: false },
  { name: 'no file descriptor is left for 2 s', memory: false },
]

describe('faults', { timeout: 120_000 }, () => {
  for (const { name, memory } of plays) {
    it(`${name}, memory ${memory ? 'on' : 'off'}: nothing is lost`, async () => {
      const fault = faultsFor(false).find((each) => each.name === name)
      assert.ok(fault)
      const plan = { messages: 6, hitsMax: 2, memory, timeoutMs: 30_000 }
      const result = await play(fault, plan, null)
      assert.equal(result.wrong, '')
      assert.ok(result.hits >= 1, 'the fault never struck')
      assert.equal(result.delivered, 6)
      // A message may come twice for each time it struck, but not when only the client was killed
      // and the memory is on. Without the memory it does: the test has teeth.
      const isClient = name.includes('client')
      const most = memory && isClient ? 0 : result.hits
      assert.ok(result.duplicates <= most, `${result.duplicates} duplicates`)
      if (isClient && !memory) assert.ok(result.duplicates >= 1, 'what the memory avoids')
    })
  }
})
