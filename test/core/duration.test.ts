/** Lengths of time and sizes: what operators may write, and what they hear when it is wrong. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { z } from 'zod'
import { duration, durationRange, parseDuration, size } from '../../src/core/duration.ts'

describe('duration', () => {
  const setting = duration('90s')
  const good = {
    '0s': 0,
    '500ms': 500,
    '90s': 90_000,
    '5m': 300_000,
    '4m30s': 270_000,
    '1h': 3_600_000,
    '7d': 604_800_000,
    '1d2h3m4s5ms': 93_784_005,
    '007s': 7_000,
  }
  for (const [text, ms] of Object.entries(good)) {
    it(`${text} is ${ms} ms`, () => {
      assert.equal(setting.parse(text), ms)
      assert.equal(parseDuration(text), ms)
    })
  }

  it('has its default where nothing is given', () => {
    assert.equal(setting.parse(undefined), 90_000)
  })

  const bad = ['', '90', 's', '1 min', '1min', '90S', ' 90s', '90s ', '-90s', '+1s', '1.5h', '1e3s']
  for (const text of [...bad, '1m 30s', '90s\n', '1w', 90, 0, null, true, ['90s'], {}]) {
    it(`does not take ${JSON.stringify(text)}`, () => {
      assert.equal(setting.safeParse(text).success, false)
    })
  }

  it('says what it expects', () => {
    assert.match(complaint(setting, '90'), /length of time such as "90s"/)
  })
})

describe('durationRange', () => {
  const setting = durationRange('75s', '150s')

  it('has its defaults, and takes two texts', () => {
    assert.deepEqual(setting.parse(undefined), { shortestMs: 75_000, longestMs: 150_000 })
    assert.deepEqual(setting.parse(['1m', '2m']), { shortestMs: 60_000, longestMs: 120_000 })
    assert.deepEqual(setting.parse(['60s', '1m']), { shortestMs: 60_000, longestMs: 60_000 })
  })

  it('compares lengths, not texts', () => {
    assert.deepEqual(setting.parse(['9s', '1m']), { shortestMs: 9_000, longestMs: 60_000 })
    assert.match(complaint(setting, ['2m', '119s']), /the shorter length of time first/)
  })

  for (const value of ['75s', [], ['75s'], ['75s', '80s', '90s'], ['75s', 80], ['75', '150s']]) {
    it(`does not take ${JSON.stringify(value)}`, () => {
      assert.equal(setting.safeParse(value).success, false)
    })
  }
})

describe('size', () => {
  const setting = size('25MB')
  const good = { '0B': 0, '1000B': 1_000, '64KB': 64_000, '25MB': 25_000_000, '2GB': 2e9 }
  for (const [text, bytes] of Object.entries(good)) {
    it(`${text} is ${bytes} bytes`, () => {
      assert.equal(setting.parse(text), bytes)
    })
  }

  it('has its default where nothing is given', () => {
    assert.equal(setting.parse(undefined), 25_000_000)
  })

  for (const text of [
    '',
    '25',
    'MB',
    '25mb',
    '25 MB',
    '2.5MB',
    '-1B',
    '1MB5KB',
    '1TB',
    '1MiB',
    25,
  ]) {
    it(`does not take ${JSON.stringify(text)}`, () => {
      assert.match(complaint(setting, text), /size such as "25MB"|expected string/)
    })
  }
})

function complaint(setting: z.ZodType, value: unknown): string {
  const result = setting.safeParse(value)
  assert.equal(result.success, false)
  return result.error?.issues[0]?.message ?? ''
}
