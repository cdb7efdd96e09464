/** How long a client may take for one command. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Deadline } from '../../src/smtp/deadline.ts'
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
