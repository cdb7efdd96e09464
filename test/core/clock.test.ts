/** What every clock must do: the real one, and the fake that the other tests use in its place. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { type Clock, type Ms, systemClock } from '../../src/core/clock.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

/** How far a timer may be early: Node rounds to whole milliseconds, `now` does not. */
const slackMs = 1

interface Subject {
  readonly clock: Clock
  /** Lets `ms` pass. */
  pass(ms: Ms): Promise<void>
}

const subjects: Readonly<Record<string, () => Subject>> = {
  systemClock: () => ({
    clock: systemClock,
    pass: (ms) => systemClock.sleep(ms, new AbortController().signal),
  }),
  FakeClock: () => {
    const clock = new FakeClock()
    return { clock, pass: (ms) => clock.advance(ms) }
  },
}

for (const [name, subject] of Object.entries(subjects)) {
  describe(`${name}: contract of a clock`, () => {
    it('ends a sleep when its time is over, and leaves no listener', async () => {
      const { clock, pass } = subject()
      const { signal } = new AbortController()
      const startedAt = clock.now()
      let endedAt: number | null = null
      const sleep = clock.sleep(20, signal).then(() => {
        endedAt = clock.now()
      })
      await pass(5)
      assert.equal(endedAt, null)
      assert.equal(getEventListeners(signal, 'abort').length, 1)
      await pass(20)
      await sleep
      assert.ok(endedAt !== null && endedAt - startedAt >= 20 - slackMs)
      assert.equal(getEventListeners(signal, 'abort').length, 0)
    })

    it('ends a sleep with the reason of its signal, at once', async () => {
      const { clock } = subject()
      const client = new AbortController()
      const sleep = clock.sleep(60_000, client.signal)
      client.abort(new Error('hung up'))
      await assert.rejects(sleep, /hung up/)
      assert.equal(getEventListeners(client.signal, 'abort').length, 0)
    })

    it('does not begin a sleep that is already called off', async () => {
      const { clock } = subject()
      const signal = AbortSignal.abort(new Error('hung up before'))
      await assert.rejects(clock.sleep(60_000, signal), /hung up before/)
    })

    it('calls a timer once, in the order of the times, and never one that was stopped', async () => {
      const { clock, pass } = subject()
      const woken: string[] = []
      clock.after(15, () => woken.push('second'))
      clock.after(5, () => woken.push('first'))
      const stop = clock.after(10, () => woken.push('stopped'))
      stop()
      stop()
      await pass(40)
      assert.deepEqual(woken, ['first', 'second'])
    })

    it('does not take a timer of a month for none at all', async () => {
      const { clock, pass } = subject()
      let woken = false
      const stop = clock.after(2 ** 31, () => {
        woken = true
      })
      const leaving = new AbortController()
      const sleep = clock.sleep(2 ** 31, leaving.signal).then(() => {
        woken = true
      })
      await pass(20)
      assert.equal(woken, false)
      stop()
      leaving.abort(new Error('hung up'))
      await assert.rejects(sleep, /hung up/)
    })

    it('moves now and the time of day forward together', async () => {
      const { clock, pass } = subject()
      const [now, wall] = [clock.now(), clock.wall().getTime()]
      await pass(20)
      assert.ok(clock.now() - now >= 20 - slackMs)
      assert.ok(clock.wall().getTime() - wall >= 20 - 2 * slackMs)
    })
  })
}

describe('FakeClock', () => {
  it('counts sleeps and timers until each has ended', async () => {
    const clock = new FakeClock()
    const client = new AbortController()
    const sleep = clock.sleep(100, client.signal)
    const stop = clock.after(200, () => {})
    clock.after(50, () => {})
    assert.equal(clock.sleeping, 3)
    await clock.advance(50)
    assert.equal(clock.sleeping, 2)
    stop()
    assert.equal(clock.sleeping, 1)
    client.abort()
    assert.equal(clock.sleeping, 0)
    await assert.rejects(sleep)
  })

  it('runs what a timer starts within the same advance, at its own time', async () => {
    const clock = new FakeClock()
    const startedAt = clock.now()
    const heard: number[] = []
    clock.after(10, () => {
      heard.push(clock.now() - startedAt)
      clock.after(10, () => heard.push(clock.now() - startedAt))
    })
    await clock.advance(25)
    assert.deepEqual(heard, [10, 20])
    assert.equal(clock.now() - startedAt, 25)
  })

  it('keeps the even clock even when the time of day is set', async () => {
    const clock = new FakeClock()
    const before = clock.now()
    clock.setWall(new Date('2029-06-01T12:00:00Z'))
    await clock.advance(1_000)
    assert.equal(clock.now() - before, 1_000)
    assert.equal(clock.wall().toISOString(), '2029-06-01T12:00:01.000Z')
  })
})
