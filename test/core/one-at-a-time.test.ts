/** Calls that come while the work is under way become one more run. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { oneAtATime } from '../../src/core/one-at-a-time.ts'

it('runs once at a time, and once more for all calls that come meanwhile', async () => {
  let begun = 0
  let end = () => {}
  const run = oneAtATime(() => {
    begun += 1
    return new Promise((resolve) => {
      end = resolve
    })
  })
  for (const _ of [1, 2, 3]) run()
  assert.equal(begun, 1)
  for (const expected of [2, 2]) {
    end()
    await turn()
    assert.equal(begun, expected)
  }
  run()
  assert.equal(begun, 3)
  end()
})
