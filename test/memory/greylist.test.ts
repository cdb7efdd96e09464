/** Greylisting: who may pass, and when (RFC 6647; facts.md 4). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Greylist } from '../../src/memory/greylist.ts'
import { greylistOptions } from '../../src/memory/options.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const network = '192.0.2.0/24'

describe('Greylist', () => {
  const cases = [
    { afterMs: 60_999, passes: false, because: 'it came back too soon' },
    { afterMs: 61_000, passes: true, because: 'it came back' },
    { afterMs: 86_400_000, passes: true, because: 'it came back within a day' },
    { afterMs: 86_400_001, passes: false, because: 'that is a first try again' },
  ]
  for (const { afterMs, passes, because } of cases) {
    it(`${passes} after ${afterMs} ms: ${because}`, async () => {
      const { clock, greylist } = setUp()
      assert.equal(greylist.passes(network, 'a.example'), false)
      await clock.advance(afterMs)
      assert.equal(greylist.passes(network, 'a.example'), passes)
    })
  }

  it('lets a network pass that has come back, whatever it sends', async () => {
    const { clock, greylist } = setUp()
    greylist.passes(network, 'a.example')
    await clock.advance(61_000)
    assert.equal(greylist.passes(network, 'b.example'), false)
    assert.equal(greylist.passes(network, 'a.example'), true)
    assert.equal(greylist.passes(network, 'b.example'), true)
    assert.equal(greylist.passes('198.51.100.0/24', 'b.example'), false)
  })

  it('forgets it when it was not seen for long enough', async () => {
    const { clock, greylist } = setUp()
    greylist.passes(network, 'a.example')
    await clock.advance(61_000)
    greylist.passes(network, 'a.example')
    await clock.advance(36 * 86_400_000)
    assert.equal(greylist.passes(network, 'x.example'), true, 'seen again: remembered again')
    await clock.advance(36 * 86_400_000 + 1)
    assert.equal(greylist.passes(network, 'x.example'), false)
  })

  it('makes room of what is over', async () => {
    const { clock, greylist } = setUp({ entries_max: 2 })
    greylist.passes('a', 'x')
    await clock.advance(61_000)
    assert.equal(greylist.passes('a', 'x'), true)
    assert.equal(greylist.passes('b', 'x'), false)
    await clock.advance(86_400_001)
    assert.equal(greylist.passes('c', 'x'), false, 'there was room')
    assert.equal(greylist.passes('d', 'x'), true, 'now there is none: a may come back')
    await clock.advance(34 * 86_400_000)
    assert.equal(greylist.passes('d', 'x'), false)
    assert.equal(greylist.passes('a', 'x'), true, 'seen within 36 days')
  })

  it('begins anew where it had been, behind what came meanwhile', async () => {
    const { clock, greylist } = setUp({ entries_max: 2 })
    greylist.passes('a', 'x')
    await clock.advance(80_000_000)
    greylist.passes('b', 'x')
    await clock.advance(6_400_001)
    assert.equal(greylist.passes('a', 'x'), false)
    await clock.advance(80_000_000)
    assert.equal(greylist.passes('c', 'x'), false, 'b makes room, not a')
    assert.equal(greylist.passes('a', 'x'), true)
  })

  it('fails open: without room everybody passes', () => {
    const { greylist } = setUp({ entries_max: 2 })
    assert.equal(greylist.passes('a', 'x'), false)
    assert.equal(greylist.passes('b', 'x'), false)
    assert.equal(greylist.passes('c', 'x'), true)
    assert.equal(greylist.size, 2)
  })

  it('is not put off by a clock that is set back', async () => {
    const { clock, greylist } = setUp()
    greylist.passes(network, 'a.example')
    clock.setWall(new Date(clock.wall().getTime() - 3_600_000))
    assert.equal(greylist.passes(network, 'a.example'), false)
    await clock.advance(3_661_000)
    assert.equal(greylist.passes(network, 'a.example'), true)
  })

  it('lets real senders pass at their second try, quick and slow ones', async () => {
    // Of 462 retries that were recorded: the quickest, the median, nine tenths, nearly the slowest.
    for (const seconds of [61, 686, 5_553, 85_000]) {
      const { clock, greylist } = setUp()
      greylist.passes(network, 'a.example')
      await clock.advance(seconds * 1_000)
      assert.equal(greylist.passes(network, 'a.example'), true, `${seconds} s`)
    }
  })
})

function setUp(options: Partial<Record<'entries_max', number>> = {}) {
  const clock = new FakeClock()
  return { clock, greylist: new Greylist(clock, greylistOptions.parse(options)) }
}
