/** How slowly a message may come. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Pace } from '../../src/smtp/pace.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const windowMs = 180_000

describe('Pace', () => {
  it('is too slow after a window that brought too little, and not before', async () => {
    const { clock, pace, slow } = setUp()
    pace.came(18_000)
    await clock.advance(windowMs)
    pace.came(17_999)
    await clock.advance(windowMs - 1)
    assert.equal(slow(), 0)
    await clock.advance(1)
    assert.equal(slow(), 1)
    assert.equal(clock.sleeping, 0)
  })

  it('may falter within a window', async () => {
    const { clock, pace, slow } = setUp()
    for (let window = 0; window < 5; window += 1) {
      await clock.advance(windowMs - 10)
      pace.came(20_000)
      await clock.advance(10)
    }
    assert.equal(slow(), 0)
    pace.stop()
    assert.equal(clock.sleeping, 0)
  })

  it('is not held against a client whom we hold back', async () => {
    const { clock, pace, slow } = setUp()
    const { promise, resolve } = Promise.withResolvers<void>()
    pace.held(promise)
    await clock.advance(3 * windowMs)
    resolve()
    await clock.advance(windowMs)
    assert.equal(slow(), 0)
    await clock.advance(windowMs)
    assert.equal(slow(), 1)
  })
})

function setUp() {
  const clock = new FakeClock()
  let slowCount = 0
  const pace = new Pace(clock, 100, () => {
    slowCount += 1
  })
  return { clock, pace, slow: () => slowCount }
}
