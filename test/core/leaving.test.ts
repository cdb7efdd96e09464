/** Who hears that a client has left, and who does not any more. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Leaving } from '../../src/core/leaving.ts'

const gone = new Error('gone')

describe('Leaving', () => {
  for (const count of [0, 1, 2, 3]) {
    it(`tells each of ${count} listeners, once`, () => {
      const leaving = new Leaving()
      const heard = new Array(count).fill(0)
      for (const index of heard.keys()) leaving.listen(() => (heard[index] += 1))
      leaving.leave(gone)
      leaving.leave(new Error('again'))
      assert.deepEqual(heard, new Array(count).fill(1))
      assert.equal(leaving.reason, gone)
    })
  }

  it('tells nobody who has stopped listening', () => {
    const leaving = new Leaving()
    const heard: string[] = []
    const listeners = ['a', 'b', 'c'].map((name) => () => void heard.push(name))
    for (const listener of listeners) leaving.listen(listener)
    for (const listener of listeners.slice(0, 2)) leaving.unlisten(listener)
    leaving.leave(gone)
    assert.deepEqual(heard, ['c'])
    leaving.listen(() => heard.push('late'))
    assert.deepEqual(heard, ['c'])
  })

  it('has a signal that aborts with the reason, early or late', () => {
    const early = new Leaving()
    const { signal } = early
    early.leave(gone)
    assert.equal(signal.reason, gone)
    const late = new Leaving()
    late.leave(gone)
    assert.equal(late.signal.reason, gone)
    assert.equal(new Leaving().signal.aborted, false)
  })

  it('lends a signal to work, which aborts only while the work lasts', async () => {
    const leaving = new Leaving()
    let lent: AbortSignal | null = null
    const result = await leaving.during(async ({ signal }) => {
      lent = signal
      return 7
    })
    assert.equal(result, 7)
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const running = leaving.during(async ({ signal }) => {
      signal.addEventListener('abort', () => resolve(signal.reason))
      await promise
    })
    leaving.leave(gone)
    assert.equal(await promise, gone)
    await running
    const { aborted } = lent ?? leaving.signal
    assert.equal(aborted, false)
    await assert.rejects(async () => await leaving.during(() => 1), gone)
  })
})
