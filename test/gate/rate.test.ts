/** Rates: true to within the spread of a window, and bounded whoever comes. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Rate } from '../../src/gate/rate.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const windowMs = 60_000

function setUp(keysMax = 1_000) {
  const clock = new FakeClock()
  const rate = new Rate(clock, { windowMs, keysMax })
  const addMany = (key: string, count: number) => {
    for (let index = 0; index < count; index += 1) rate.add(key)
  }
  return { clock, rate, addMany }
}

describe('Rate', () => {
  it('counts each key by itself', () => {
    const { rate, addMany } = setUp()
    addMany('a', 3)
    addMany('b', 1)
    assert.deepEqual([rate.of('a'), rate.of('b'), rate.of('c')], [3, 1, 0])
  })

  it('lets what is past fade, and forgets it after two windows', async () => {
    const { clock, rate, addMany } = setUp()
    addMany('a', 60)
    const seen: number[] = []
    for (let step = 0; step < 5; step += 1) {
      await clock.advance(windowMs / 2)
      seen.push(rate.of('a'))
    }
    assert.deepEqual(seen, [60, 60, 30, 0, 0])
  })

  it('never lets more than twice the limit pass in a window, however they are spread', async () => {
    const { clock, rate } = setUp()
    const limit = 60
    const passedAt: number[] = []
    for (let second = 0; second < 300; second += 1) {
      for (let attempt = 0; attempt < 20; attempt += 1) {
        if (rate.of('a') >= limit) continue
        rate.add('a')
        passedAt.push(clock.now())
      }
      await clock.advance(1_000)
    }
    for (const from of passedAt) {
      const inWindow = passedAt.filter((at) => at >= from && at < from + windowMs).length
      assert.ok(inWindow <= 2 * limit, `${inWindow} in a window`)
    }
    assert.ok(passedAt.length >= 4 * limit && passedAt.length <= 7 * limit, `${passedAt.length}`)
  })

  it('remembers no more than twice its bound, and still sees who comes most', () => {
    const { rate } = setUp(1_000)
    for (let index = 0; index < 1_000_000; index += 1) {
      rate.add(`stranger ${index}`)
      if (index % 100 === 0) rate.add('regular')
      assert.ok(index % 10_000 !== 0 || rate.remembered <= 2_000)
    }
    assert.ok(rate.remembered <= 2_000)
    assert.ok(rate.of('regular') >= 5, `${rate.of('regular')}`)
  })
})
