/** How long the other side may take. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Deadline } from '../../src/core/deadline.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

describe('Deadline', () => {
  it('is missed after its time, and only the first start counts', async () => {
    const { clock, deadline, missed } = setUp()
    deadline.start()
    await clock.advance(99)
    deadline.start()
    assert.equal(missed(), 0)
    await clock.advance(1)
    assert.equal(missed(), 1)
    assert.equal(clock.sleeping, 0)
  })

  it('is not missed by many commands, each in time, and needs one timer for all', async () => {
    const { clock, deadline, missed } = setUp()
    for (let command = 0; command < 10; command += 1) {
      deadline.start()
      await clock.advance(60)
      deadline.stop()
      assert.ok(clock.sleeping <= 1)
    }
    deadline.start()
    await clock.advance(99)
    assert.equal(missed(), 0)
    await clock.advance(1)
    assert.equal(missed(), 1)
  })

  it('may be another for a turn, sooner than the timer of the one before or later', async () => {
    const { clock, deadline, missed } = setUp()
    deadline.start(1_000)
    await clock.advance(10)
    deadline.stop()
    deadline.start(20)
    await clock.advance(19)
    assert.equal(missed(), 0)
    await clock.advance(1)
    assert.equal(missed(), 1)
    deadline.stop()
    deadline.start()
    deadline.stop()
    deadline.start(200)
    await clock.advance(199)
    assert.equal(missed(), 1)
    await clock.advance(1)
    assert.equal(missed(), 2)
    assert.equal(clock.sleeping, 0)
  })

  it('waits for nobody while it is our turn, and leaves no timer', async () => {
    const { clock, deadline, missed } = setUp()
    deadline.start()
    deadline.stop()
    await clock.advance(1_000)
    assert.equal(missed(), 0)
    assert.equal(clock.sleeping, 0)
    deadline.start()
    deadline.close()
    assert.equal(clock.sleeping, 0)
  })
})

function setUp() {
  const clock = new FakeClock()
  let missedCount = 0
  const deadline = new Deadline(clock, 100, () => {
    missedCount += 1
  })
  return { clock, deadline, missed: () => missedCount }
}
