/** Memory runs short: a row is what is in use of a budget of 100, and what is done about it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { measuresFor } from '../../src/delay/pressure.ts'

describe('measuresFor', () => {
  const least = Number.MIN_VALUE
  const cases = [
    { used: 50, wasShort: false, short: false, release: 0, from: 2, because: 'there is plenty' },
    { used: 99, wasShort: false, short: false, release: 0, from: 2, because: 'it is enough' },
    {
      used: 100,
      wasShort: false,
      short: true,
      release: 4,
      from: 1,
      because: 'the budget is spent',
    },
    { used: 109, wasShort: true, short: true, release: 4, from: 1, because: 'it is as before' },
    { used: 110, wasShort: true, short: true, release: 8, from: 0.5, because: 'it gets worse' },
    { used: 125, wasShort: true, short: true, release: 12, from: least, because: 'it is bad' },
    {
      used: 130,
      wasShort: true,
      short: true,
      release: 20,
      from: 0,
      because: 'we are about to die',
    },
    { used: 99, wasShort: true, short: true, release: 0, from: 1, because: 'it is not over yet' },
    { used: 90, wasShort: true, short: true, release: 0, from: 1, because: 'nor here' },
    { used: 89, wasShort: true, short: false, release: 0, from: 2, because: 'now it is over' },
  ] as const
  for (const { used, wasShort, short, release, from, because } of cases) {
    it(`${used} of 100, short ${wasShort ? 'already' : 'not yet'}: ${because}`, () => {
      const situation = { wasShort, usedBytes: used, budgetBytes: 100, heldCount: 40 }
      assert.deepEqual(measuresFor(situation), {
        short,
        releaseCount: release,
        turnAwayFrom: from,
      })
    })
  }

  it('does nothing without a budget', () => {
    const situation = { wasShort: true, usedBytes: 1e12, budgetBytes: 0, heldCount: 40 }
    assert.deepEqual(measuresFor(situation).short, false)
  })

  it('lets go at least one who waits, and nobody when nobody does', () => {
    const at = (heldCount: number) =>
      measuresFor({ wasShort: false, usedBytes: 100, budgetBytes: 100, heldCount }).releaseCount
    assert.deepEqual([at(0), at(1), at(9), at(11)], [0, 1, 1, 2])
  })
})
