/** How long a reply takes: Flavell's arithmetic, and the limits put to it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { delayOptions } from '../../src/delay/options.ts'
import { type Circumstances, targetFor, waitDue } from '../../src/delay/policy.ts'

const plain: Circumstances = {
  fraction: 1,
  targetMs: 123_000,
  lookupMs: 0,
  waitedMs: 0,
  nullSender: false,
  exempt: false,
  paid: false,
}

describe('waitDue', () => {
  const cases: readonly (Partial<Circumstances> & { waits: number; because: string })[] = [
    { waits: 123_000, because: 'the whole target is left' },
    { fraction: 0, waits: 0, because: 'there is no reason' },
    { fraction: 0.4, waits: 49_200, because: 'the reasons earn four tenths of it' },
    { fraction: 0.4, lookupMs: 10_000, waits: 39_200, because: 'looking took part of that' },
    { fraction: 0.001, waits: 1_000, because: 'it is a second at least' },
    { fraction: 0.4, nullSender: true, waits: 20_000, because: 'the limit is one of time' },
    { lookupMs: 23_000, waits: 100_000, because: 'looking took part of it' },
    { lookupMs: 122_500, waits: 1_000, because: 'it is a second at least' },
    { lookupMs: 123_000, waits: 1_000, because: 'a second, though nothing is left' },
    { lookupMs: 500_000, waits: 1_000, because: 'a second, though looking took longer' },
    { exempt: true, waits: 0, because: 'nobody waits for this one' },
    { paid: true, waits: 0, because: 'the scope has been paid for' },
    {
      exempt: true,
      lookupMs: 500_000,
      waits: 0,
      because: 'the least second is not for the exempt',
    },
    { paid: true, lookupMs: 500_000, waits: 0, because: 'nor for those who have paid' },
    { nullSender: true, waits: 20_000, because: 'address verification gives up at 30 s' },
    {
      nullSender: true,
      lookupMs: 8_000,
      waits: 12_000,
      because: 'address verification times the whole reply, look-ups included',
    },
    { nullSender: true, lookupMs: 20_000, waits: 1_000, because: 'it is a second at least' },
    {
      nullSender: true,
      targetMs: 15_000,
      waits: 15_000,
      because: 'a limit does not make a wait longer',
    },
    { waitedMs: 123_000, waits: 123_000, because: 'the budget allows two' },
    { waitedMs: 246_000, waits: 24_000, because: 'the budget has this much left' },
    { waitedMs: 269_500, waits: 500, because: 'the budget ends even the least second' },
    { waitedMs: 270_000, waits: 0, because: 'the budget is used up' },
    { waitedMs: 999_000, waits: 0, because: 'a wait is never negative' },
    { nullSender: true, waitedMs: 255_000, waits: 15_000, because: 'the smaller limit counts' },
    { waitedMs: 200_000, lookupMs: 100_000, waits: 23_000, because: 'the rest fits the budget' },
  ]
  const options = delayOptions.parse({})
  for (const { waits, because, ...given } of cases) {
    it(`${waits} ms: ${because}`, () => {
      assert.equal(waitDue({ ...plain, ...given }, options), waits)
    })
  }

  it('never makes a null sender wait where it may not', () => {
    const never = delayOptions.parse({ null_sender_max: '0s' })
    assert.equal(waitDue({ ...plain, nullSender: true }, never), 0)
    assert.equal(waitDue(plain, never), 123_000)
  })

  it('waits for nobody on a budget of nothing', () => {
    assert.equal(waitDue(plain, delayOptions.parse({ session_budget: '0s' })), 0)
  })

  it('keeps fifty recipients within the budget, whatever the look-ups take', () => {
    const lookups = fc.array(fc.nat(200_000), { minLength: 50, maxLength: 50 })
    fc.assert(
      fc.property(lookups, (times) => {
        let waitedMs = 0
        for (const lookupMs of times) waitedMs += waitDue({ ...plain, lookupMs, waitedMs }, options)
        assert.ok(waitedMs <= options.session_budget, String(waitedMs))
      }),
    )
  })
})

describe('targetFor', () => {
  const key = Buffer.alloc(32, 1)
  const options = delayOptions.parse({})
  const networks = Array.from(
    { length: 1_000 },
    (_, index) => `10.${index >> 8}.${index & 255}.0/24`,
  )
  const targets = networks.map((network) => targetFor(network, key, options))

  it('is the same for one network and one key, in every run', () => {
    assert.equal(targetFor('192.0.2.0/24', key, options), 146_032)
    assert.equal(targetFor('2001:db8::/64', key, options), 109_263)
    assert.deepEqual(
      networks.map((network) => targetFor(network, Buffer.from(key), options)),
      targets,
    )
  })

  it('is another for another key', () => {
    const other = Buffer.alloc(32, 2)
    const same = networks.filter(
      (each, index) => targetFor(each, other, options) === targets[index],
    )
    assert.ok(same.length <= 2, `${same.length} of 1,000 are the same`)
  })

  it('is a whole number of milliseconds inside the range', () => {
    for (const ms of targets) assert.ok(Number.isInteger(ms) && ms >= 75_000 && ms <= 150_000)
  })

  it('is spread over all of the range', () => {
    const counts = Array.from({ length: 10 }, () => 0)
    for (const ms of targets) {
      const tenth = Math.min(9, Math.floor((ms - 75_000) / 7_500))
      counts[tenth] = (counts[tenth] ?? 0) + 1
    }
    for (const count of counts) assert.ok(count > 60 && count < 140, counts.join(' '))
  })

  it('is the one point of a range that has one', () => {
    const point = delayOptions.parse({ target: ['123s', '123s'] })
    assert.equal(targetFor('192.0.2.0/24', key, point), 123_000)
  })
})

describe('delayOptions', () => {
  it('has the defaults of the design', () => {
    const options = delayOptions.parse({})
    assert.deepEqual(options.target, { shortestMs: 75_000, longestMs: 150_000 })
    assert.equal(options.session_budget, 270_000)
    assert.equal(options.null_sender_max, 20_000)
    assert.equal(options.scope, 'recipient')
    assert.deepEqual(options.never_for, ['postmaster', 'abuse'])
  })

  it('compares local parts in lower case', () => {
    assert.deepEqual(delayOptions.parse({ never_for: ['Hostmaster'] }).never_for, ['hostmaster'])
  })
})
