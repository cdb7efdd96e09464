/** Guessing passwords: how much of it one network gets tried. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Logins } from '../../src/memory/logins.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const here = '192.0.2.0/24'

describe('Logins', () => {
  it('has nobody wait who has not failed', () => {
    const logins = new Logins(new FakeClock())
    for (const _ of [1, 2, 3]) {
      const attempt = logins.begin(here)
      assert.equal(attempt?.waitMs, 0)
      attempt?.end('well')
    }
    assert.equal(logins.size, 0)
  })

  it('has each wait twice as long as the one before, up to 20 s', async () => {
    const clock = new FakeClock()
    const logins = new Logins(clock)
    const waits: number[] = []
    for (let count = 0; count < 8; count += 1) {
      const attempt = logins.begin(here)
      assert.ok(attempt)
      waits.push(attempt.waitMs)
      await clock.advance(attempt.waitMs)
      attempt.end('failed')
    }
    assert.deepEqual(waits, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000])
    assert.equal(logins.begin('198.51.100.0/24')?.waitMs, 0, 'others do not wait')
  })

  it('tries no more for many connections at once than for one', () => {
    const logins = new Logins(new FakeClock())
    const attempts = Array.from({ length: 50 }, () => logins.begin(here))
    const waits = attempts.flatMap((attempt) => (attempt === null ? [] : [attempt.waitMs]))
    assert.deepEqual(waits, [0, 1_000, 3_000, 7_000, 15_000, 31_000, 51_000])
  })

  it('lets who was right wait as long as who was wrong: time tells nothing', async () => {
    const clock = new FakeClock()
    const logins = new Logins(clock)
    for (const how of ['failed', 'failed', 'well', 'well'] as const) {
      const attempt = logins.begin(here)
      await clock.advance(attempt?.waitMs ?? 0)
      attempt?.end(how)
    }
    assert.equal(logins.begin(here)?.waitMs, 2_000)
  })

  it('forgives after an hour without a failure, however many are right meanwhile', async () => {
    const clock = new FakeClock()
    const logins = new Logins(clock)
    logins.begin(here)?.end('failed')
    for (const expected of [1_000, 1_000, 1_000, 0]) {
      await clock.advance(1_000_000)
      const attempt = logins.begin(here)
      assert.equal(attempt?.waitMs, expected)
      attempt?.end('well')
    }
  })

  it('forgets after an hour, and never remembers more than 10,000 networks', async () => {
    const clock = new FakeClock()
    const logins = new Logins(clock)
    logins.begin(here)?.end('failed')
    for (let count = 0; count < 10_005; count += 1) logins.begin(`net ${count}`)?.end('failed')
    assert.equal(logins.size, 10_000)
    assert.equal(logins.begin(here)?.waitMs, 0)
    assert.equal(logins.begin('net 10004')?.waitMs, 1_000)
    await clock.advance(3_600_001)
    assert.equal(logins.begin('net 10003')?.waitMs, 0)
  })
})
