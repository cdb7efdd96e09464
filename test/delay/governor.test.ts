/** When memory is looked at, what is garbage, and what collecting it may cost. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemMemory } from '../../src/core/memory.ts'
import { Governor } from '../../src/delay/governor.ts'
import { Holder } from '../../src/delay/holder.ts'
import { Log } from '../../src/observe/log.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

/** What is alive, and what is garbage until it is collected, of a budget of 100. */
function setUp(alive: number, garbage: number, { collectingMs = 0 } = {}) {
  const clock = new FakeClock()
  const log = new Log(clock, { level: 'silent', format: 'json' })
  const holder = new Holder(clock, 10)
  const world = { alive, garbage, collectedAt: [] as number[] }
  const startedAt = clock.now()
  const memory = {
    inUse: () => world.alive + world.garbage,
    collect: () => {
      world.collectedAt.push(clock.now() - startedAt)
      world.garbage = 0
      clock.lose(collectingMs)
    },
  }
  const governor = new Governor({ clock, log, holder, memory })
  governor.watch(100)
  return { clock, governor, holder, log, world }
}

describe('Governor', () => {
  it('looks once a second, and collects nothing while there is enough', async () => {
    const { clock, governor, world } = setUp(40, 59)
    await clock.advance(60_000)
    assert.deepEqual([governor.isShort, world.collectedAt, clock.sleeping], [false, [], 1])
    governor.stop()
    assert.equal(clock.sleeping, 0)
  })

  it('takes garbage for what it is', async () => {
    const { clock, governor, world, log } = setUp(40, 0)
    world.garbage = 90
    await clock.advance(1_000)
    assert.deepEqual([governor.isShort, world.collectedAt], [false, [1_000]])
    assert.equal(log.counts['memory.short'], 0)
  })

  it('notices that it is over, though nothing was collected by itself', async () => {
    const { clock, governor, world, log } = setUp(120, 0)
    assert.equal(governor.isShort, true)
    Object.assign(world, { alive: 40, garbage: 80 })
    await clock.advance(14_999)
    assert.equal(governor.isShort, true, 'nobody knows yet')
    await clock.advance(1)
    assert.equal(governor.isShort, false)
    assert.deepEqual([log.counts['memory.short'], log.counts['memory.eased']], [1, 1])
  })

  it('does not take garbage for more clients between two collections, up to a point', async () => {
    const { clock, governor, world } = setUp(40, 70)
    world.garbage = 89
    await clock.advance(1_000)
    assert.equal(governor.isShort, false)
    world.garbage = 90
    await clock.advance(1_000)
    assert.equal(governor.turnsAway(0), true, 'that may well be the end')
  })

  it('spends no more than a twentieth of the time on collecting', async () => {
    const { clock, world } = setUp(120, 0, { collectingMs: 1_000 })
    await clock.advance(300_000)
    const { collectedAt } = world
    for (const [index, at] of collectedAt.entries()) {
      assert.ok(index === 0 || at - (collectedAt[index - 1] ?? 0) >= 21_000)
    }
    assert.ok(collectedAt.length >= 10, `${collectedAt.length} times in five minutes`)
  })

  it('is calm at once when the limit is taken away, and asks no more', () => {
    const { clock, governor } = setUp(150, 0)
    assert.equal(governor.turnsAway(0), true)
    governor.watch(0)
    assert.deepEqual([governor.isShort, governor.turnsAway(1), clock.sleeping], [false, false, 0])
  })
})

describe('systemMemory', () => {
  it('knows what is in use, and that it is less when garbage is collected', () => {
    const bytes = 40_000_000
    systemMemory.collect()
    const before = systemMemory.inUse()
    let numbers: number[] | null = Array.from({ length: bytes / 8 }, (_, index) => index + 0.5)
    const during = systemMemory.inUse()
    assert.ok(numbers.length > 0 && during - before > bytes / 2, `${before}, ${during}`)
    numbers = null
    systemMemory.collect()
    assert.ok(during - systemMemory.inUse() > bytes / 2)
  })
})
