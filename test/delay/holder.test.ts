/** Who waits, who is let go, and that nothing of a wait is left over. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Leaving } from '../../src/core/leaving.ts'
import { Holder } from '../../src/delay/holder.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

describe('Holder', () => {
  it('answers after the wait and not a moment before', async () => {
    const { clock, keep, answered } = setUp(1)
    keep('a', 1)
    await clock.advance(19_999)
    assert.deepEqual(answered, [])
    await clock.advance(1)
    assert.deepEqual(answered, ['a waited'])
  })

  it('takes no place and no timer for a wait of nothing', async () => {
    const { clock, holder, onFull } = setUp(0)
    for (const ms of [0, -5]) {
      assert.equal(await holder.hold({ ms, suspicion: 1, leaving: new Leaving() }), 'waited')
    }
    assert.deepEqual([clock.sleeping, holder.heldCount, onFull.length], [0, 0, 0])
  })

  it('lets several wait, each its own time', async () => {
    const { clock, holder, keep, answered } = setUp(3)
    keep('a', 1, 30_000)
    keep('b', 2, 10_000)
    keep('c', 1, 20_000)
    assert.equal(holder.heldCount, 3)
    await clock.advance(10_000)
    assert.equal(holder.heldCount, 2)
    await clock.advance(20_000)
    assert.deepEqual(answered, ['b waited', 'c waited', 'a waited'])
    assert.equal(holder.heldCount, 0)
  })

  it('gives a place to the next when one has waited to the end', async () => {
    const { clock, keep, answered } = setUp(1)
    keep('a', 1)
    await clock.advance(20_000)
    keep('b', 1)
    await clock.advance(20_000)
    assert.deepEqual(answered, ['a waited', 'b waited'])
  })

  it('lets as many go as it is told, the least suspicious first, and of equals the oldest', async () => {
    const { clock, holder, keep, answered } = setUp(10)
    for (const [name, suspicion] of [
      ['a', 3],
      ['b', 1],
      ['c', 2],
      ['d', 1],
      ['e', 3],
    ] as const) {
      keep(name, suspicion)
    }
    holder.ease(3)
    await clock.advance(0)
    assert.deepEqual(answered, ['b released', 'd released', 'c released'])
    holder.ease(10)
    await clock.advance(0)
    assert.deepEqual(answered.slice(3), ['a released', 'e released'])
    assert.deepEqual([holder.heldCount, clock.sleeping], [0, 0])
    holder.ease(1)
  })

  const full = [
    { held: [1], newcomer: 1, go: 'newcomer', because: 'it is no more suspicious than who waits' },
    { held: [2], newcomer: 1, go: 'newcomer', because: 'it is less suspicious' },
    { held: [1], newcomer: 2, go: '0', because: 'the newcomer is more suspicious' },
    { held: [3, 1, 2], newcomer: 2, go: '1', because: 'the least suspicious goes' },
    { held: [3, 2, 3], newcomer: 2, go: 'newcomer', because: 'nobody is less suspicious than it' },
    { held: [1, 1, 1], newcomer: 2, go: '0', because: 'of equals, who has waited longest goes' },
    { held: [2, 1, 1], newcomer: 9, go: '1', because: 'of equals, who has waited longest goes' },
  ]
  for (const { held, newcomer, go, because } of full) {
    it(`full with ${held.join(', ')}, and ${newcomer} comes: ${because}`, async () => {
      const { clock, holder, keep, answered, onFull } = setUp(held.length)
      for (const [index, suspicion] of held.entries()) {
        keep(String(index), suspicion)
        await clock.advance(10)
      }
      keep('newcomer', newcomer)
      await clock.advance(10)
      assert.deepEqual(answered, [`${go} released`])
      assert.equal(holder.heldCount, held.length)
      assert.equal(clock.sleeping, held.length)
      assert.deepEqual(onFull, [held.length])

      await clock.advance(20_000)
      assert.equal(answered.length, held.length + 1)
      assert.ok(answered.slice(1).every((each) => each.endsWith(' waited')))
      assert.deepEqual([holder.heldCount, clock.sleeping], [0, 0])
    })
  }

  it('lets the least suspicious of those go who wait now, not of those who did', async () => {
    const { clock, keep, answered } = setUp(2)
    keep('gone', 1, 5_000)
    keep('a', 2)
    await clock.advance(5_000)
    keep('b', 2)
    keep('c', 3)
    await clock.advance(0)
    assert.deepEqual(answered, ['gone waited', 'a released'])
  })

  it('keeps nobody without places, and says that it is full', async () => {
    const { clock, holder, keep, answered, onFull } = setUp(0)
    keep('a', 5)
    await clock.advance(0)
    assert.deepEqual(answered, ['a released'])
    assert.deepEqual(onFull, [0])
    assert.deepEqual([holder.heldCount, clock.sleeping], [0, 0])
  })

  it('lets who waits keep their places when there become fewer, and takes nobody on top', async () => {
    const { clock, holder, keep, answered } = setUp(3)
    for (const name of ['a', 'b', 'c']) keep(name, 1)
    holder.slotsMax = 1
    keep('d', 1)
    await clock.advance(0)
    assert.deepEqual(answered, ['d released'])
    keep('e', 2)
    await clock.advance(0)
    assert.deepEqual(answered, ['d released', 'a released'])
    assert.equal(holder.heldCount, 3)

    holder.slotsMax = 4
    keep('f', 1)
    await clock.advance(20_000)
    assert.deepEqual(answered.slice(2), ['b waited', 'c waited', 'e waited', 'f waited'])
  })

  it('frees the place as soon as the client leaves', async () => {
    const { clock, holder } = setUp(1)
    const leaving = new Leaving()
    const hold = holder.hold({ ms: 20_000, suspicion: 1, leaving })
    await clock.advance(5_000)
    assert.equal(holder.heldCount, 1)

    leaving.leave(new Error('hung up'))
    await assert.rejects(hold, /hung up/)
    assert.equal(holder.heldCount, 0)
    assert.equal(clock.sleeping, 0)
    assert.equal(await holdEnds(holder, clock), 'waited')
  })

  it('does not begin with a client that has left, and sends nobody away for it', async () => {
    const { clock, holder, keep, answered } = setUp(1)
    keep('a', 1)
    const leaving = new Leaving()
    leaving.leave(new Error('hung up before'))
    const refused = assert.rejects(
      holder.hold({ ms: 10_000, suspicion: 9, leaving }),
      /hung up before/,
    )
    await clock.advance(10_000)
    await refused
    assert.deepEqual(answered, [])
    assert.equal(holder.heldCount, 1)
  })

  it('frees a place once, though the client leaves after it was let go', async () => {
    const { clock, holder, keep } = setUp(1)
    const leaving = new Leaving()
    const first = holder.hold({ ms: 20_000, suspicion: 1, leaving })
    keep('b', 2)
    leaving.leave(new Error('hung up'))
    assert.equal(await first, 'released')
    assert.equal(holder.heldCount, 1)
    await clock.advance(20_000)
    assert.equal(holder.heldCount, 0)
  })

  it('leaves no listener with a client that stays', async () => {
    const { clock, holder } = setUp(1)
    const leaving = new CountedLeaving()
    const waited = holder.hold({ ms: 1_000, suspicion: 1, leaving })
    assert.equal(leaving.listening, 1)
    await clock.advance(1_000)
    await waited
    const released = holder.hold({ ms: 1_000, suspicion: 1, leaving })
    const next = holder.hold({ ms: 1_000, suspicion: 2, leaving: new Leaving() })
    await released
    assert.equal(leaving.listening, 0)
    await clock.advance(1_000)
    await next
  })
})

class CountedLeaving extends Leaving {
  listening = 0

  override listen(listener: () => void): void {
    this.listening += 1
    super.listen(listener)
  }

  override unlisten(listener: () => void): void {
    this.listening -= 1
    super.unlisten(listener)
  }
}

function setUp(slotsMax: number) {
  const clock = new FakeClock()
  const onFull: number[] = []
  const holder = new Holder(clock, slotsMax, (heldCount) => onFull.push(heldCount))
  const answered: string[] = []
  const keep = (name: string, suspicion: number, ms = 20_000) => {
    const hold = holder.hold({ ms, suspicion, leaving: new Leaving() })
    hold.then(
      (end) => answered.push(`${name} ${end}`),
      () => answered.push(`${name} failed`),
    )
  }
  return { clock, holder, onFull, answered, keep }
}

async function holdEnds(holder: Holder, clock: FakeClock): Promise<string> {
  const hold = holder.hold({ ms: 1_000, suspicion: 1, leaving: new Leaving() })
  await clock.advance(1_000)
  return await hold
}
