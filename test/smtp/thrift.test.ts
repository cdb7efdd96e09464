/** Small pieces are read together. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Thrift } from '../../src/smtp/thrift.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

describe('Thrift', () => {
  it('rests after each small piece when there have been too many', async () => {
    const { clock, thrift, heard } = setUp()
    for (let piece = 0; piece < 31; piece += 1) thrift.read(1, 0)
    assert.deepEqual(heard, [])
    thrift.read(1, 0)
    assert.deepEqual(heard, ['close'])
    await clock.advance(100)
    assert.deepEqual(heard, ['close', 'open'])
    assert.equal(clock.sleeping, 0)
  })

  it('rests after large pieces, too, that came in records of a few bytes each', async () => {
    const { clock, thrift, heard } = setUp()
    for (let piece = 0; piece < 100; piece += 1) thrift.read(7_600, 100)
    assert.deepEqual(heard, [], 'somebody who writes line by line')
    for (let piece = 0; piece < 32; piece += 1) thrift.read(63_000, 1_000)
    assert.deepEqual(heard, ['close'])
    await clock.advance(249)
    assert.deepEqual(heard, ['close'])
    await clock.advance(1)
    assert.deepEqual(heard, ['close', 'open'])
  })

  it('never rests while pieces are large enough, or after what went on is over', () => {
    const { thrift, heard } = setUp()
    for (let piece = 0; piece < 1_000; piece += 1) thrift.read(1_460, 0)
    for (let piece = 0; piece < 31; piece += 1) thrift.read(1, 0)
    thrift.renew()
    for (let piece = 0; piece < 31; piece += 1) thrift.read(1, 0)
    thrift.read(8_192, 0)
    thrift.read(1, 0)
    assert.deepEqual(heard, [])
  })

  it('rests no longer when what went on is over', () => {
    const { clock, thrift, heard } = setUp()
    for (let piece = 0; piece < 200; piece += 1) thrift.read(1, 0)
    assert.equal(clock.sleeping, 1)
    thrift.renew()
    assert.equal(clock.sleeping, 0)
    assert.deepEqual(heard, ['close', 'open'])
  })
})

function setUp() {
  const clock = new FakeClock()
  const heard: string[] = []
  const tap = { close: () => void heard.push('close'), open: () => void heard.push('open') }
  const thrift = new Thrift(clock, () => tap)
  return { clock, thrift, heard }
}
