/** Figures as people read them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashOf } from '../../src/cli/replay-clients.ts'
import { count, share, table, time, wrapped } from '../../src/cli/replay-figures.ts'

describe('figures', () => {
  it('are counts with thousands apart', () => {
    assert.deepEqual([0, 999, 1_234_567].map(count), ['0', '999', '1,234,567'])
  })

  it('are shares with two digits that say something', () => {
    const shares = [share(0, 10), share(1, 1_000), share(1, 3), share(10, 10), share(0, 0)]
    assert.deepEqual(shares, ['0.0 %', '0.10 %', '33.3 %', '100.0 %', '-'])
  })

  it('are lengths of time in their two largest units', () => {
    const times = [0, 40, 999, 1_000, 90_000, 3_600_000, 3_661_000, 100_000_000, -90_000].map(time)
    assert.deepEqual(times, [
      ...['0 s', '0.0 s', '1.0 s', '1 s', '1 m 30 s', '1 h', '1 h 1 m', '1 d 3 h', '-1 m 30 s'],
    ])
  })

  it('stand in columns that line up', () => {
    assert.deepEqual(table([['a', '1'], ['long', '100'], ['b']]), ['a       1', 'long  100', 'b'])
  })

  it('leave lists in lines that fit', () => {
    const lines = wrapped(
      'Not found:',
      Array.from({ length: 20 }, (_, index) => `reason-${index}`),
    )
    assert.ok(lines.every((line) => line.length <= 100))
    assert.equal(lines[1]?.slice(0, 4), '  re')
    assert.deepEqual(wrapped('One:', ['a']), ['One: a'])
  })

  it('tell clients apart', () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `192.0.2.${index} host-${index} x`)
    assert.equal(new Set(names.map(hashOf)).size, names.length)
    assert.ok(names.map(hashOf).every(Number.isSafeInteger))
  })
})
