/** What findings come to: a table of cases. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Finding } from '../../src/core/ledger.ts'
import { weigh } from '../../src/delay/weigh.ts'

const against = (reason: string, weight: number): Finding => finding(reason, weight, [])
const excuse = (weight: number, ...excuses: string[]): Finding =>
  finding('an-excuse', weight, excuses)

describe('weigh', () => {
  const cases = [
    { findings: [], sum: 0, fraction: 0, because: 'there is nothing' },
    { findings: [against('a', 10)], sum: 10, fraction: 1, because: 'one earns the whole' },
    { findings: [against('a', 4)], sum: 4, fraction: 0.4, because: 'one earns a part' },
    { findings: [against('a', 4), against('b', 3)], sum: 7, fraction: 0.7, because: 'they add up' },
    { findings: [against('a', 9), against('b', 9)], sum: 18, fraction: 1, because: 'no more' },
    { findings: [against('a', 0)], sum: 0, fraction: 0, because: 'a weight may be nothing' },
    {
      findings: [against('a', 4), against('a', 6)],
      sum: 6,
      fraction: 0.6,
      because: 'a reason found twice counts once, by its heavier finding',
    },
    {
      findings: [against('a', 4), excuse(3, 'a')],
      sum: 1,
      fraction: 0.1,
      because: 'excuses take away',
    },
    {
      findings: [excuse(30, 'a'), against('a', 4)],
      sum: 0,
      fraction: 0,
      because: 'no more than there is, in any order',
    },
    {
      findings: [against('a', 4), against('b', 5), excuse(30, 'a')],
      sum: 5,
      fraction: 0.5,
      because: 'an excuse answers its own reasons only',
    },
    {
      findings: [against('a', 4), against('b', 5), excuse(6, 'a', 'b')],
      sum: 3,
      fraction: 0.3,
      because: 'one excuse has one weight for all of them',
    },
    {
      findings: [against('a', 4), against('b', 5), excuse(2, '*')],
      sum: 7,
      fraction: 0.7,
      because: 'an allow list lowers whatever there is, and does not excuse it',
    },
    { findings: [excuse(10, '*')], sum: 0, fraction: 0, because: 'a sum is never negative' },
  ]
  for (const { findings, sum, fraction, because } of cases) {
    it(`${sum}: ${because}`, () => {
      const verdict = weigh(findings, 10)
      assert.deepEqual([verdict.sum, verdict.fraction], [sum, fraction])
      assert.equal(verdict.weighed.length, findings.length)
    })
  }

  it('takes any order of reasons for the same', () => {
    const some = fc.array(
      fc.record({
        reason: fc.constantFrom('a', 'b', 'c'),
        weight: fc.integer({ min: 0, max: 20 }),
      }),
    )
    fc.assert(
      fc.property(some, (given) => {
        const findings = given.map(({ reason, weight }) => against(reason, weight))
        assert.equal(weigh(findings, 10).sum, weigh(findings.toReversed(), 10).sum)
      }),
    )
  })
})

function finding(reason: string, weight: number, excuses: readonly string[]): Finding {
  return { reason, stage: 'helo', evidence: '', action: 'delay', weight, excuses, header: null }
}
