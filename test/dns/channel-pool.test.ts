/** How questions are spread over the channels; no server is asked here. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChannelPool } from '../../src/dns/channel-pool.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

describe('ChannelPool', () => {
  it('spreads questions evenly, and gives the next to the least busy channel', async () => {
    const { pool, questions, used } = setUp({ channelsCount: 4, inFlightMax: 100 })
    for (let count = 0; count < 40; count += 1) void questions.ask()
    assert.deepEqual(used(), [10, 10, 10, 10])

    questions.answer(2)
    await questions.settled()
    void questions.ask()
    assert.deepEqual(used(), [10, 10, 11, 10])
    assert.equal(pool.inFlightCount, 40)
  })

  it('holds each channel to its limit, and lets the next in when one is answered', async () => {
    const { pool, questions } = setUp({ channelsCount: 2, inFlightMax: 3 })
    for (let count = 0; count < 8; count += 1) void questions.ask()
    assert.deepEqual([pool.inFlightCount, pool.queuedCount], [6, 2])
    questions.answer(0)
    await questions.settled()
    assert.deepEqual([pool.inFlightCount, pool.queuedCount], [6, 1])
  })

  it('never asks what nobody waits for any more', async () => {
    const { clock, pool, questions, used } = setUp({ channelsCount: 1, inFlightMax: 1 })
    const asked = Promise.allSettled([questions.ask(), questions.ask()])
    await clock.advance(5_000)
    assert.equal(pool.queuedCount, 0)
    questions.answer(0)
    await asked
    assert.deepEqual(used(), [1])
  })

  it('gives a channel back only when c-ares has let go of the question', async () => {
    const { clock, pool, questions } = setUp({ channelsCount: 1, inFlightMax: 1 })
    const late = questions.ask()
    await Promise.all([clock.advance(5_000), assert.rejects(late, /^DnsFailure: time-out$/)])
    assert.equal(pool.inFlightCount, 1)
    questions.answer(0)
    await questions.settled()
    assert.equal(pool.inFlightCount, 0)
    assert.equal(clock.sleeping, 0)
  })

  it('survives a question that throws', async () => {
    const { clock, pool } = setUp({ channelsCount: 1, inFlightMax: 1 })
    const asked = pool.ask(async () => {
      throw new Error('our own bug')
    })
    await assert.rejects(asked, /our own bug/)
    assert.equal(await pool.ask(async () => 'next'), 'next')
    assert.equal(clock.sleeping, 0)
  })
})

function setUp(limits: { channelsCount: number; inFlightMax: number }) {
  const clock = new FakeClock()
  const pool = new ChannelPool({ servers: [], timeoutMs: 5_000, tries: 1, ...limits }, clock)
  const resolvers = new Map<unknown, number>()
  const answers: (() => void)[] = []
  const ask = () =>
    pool.ask((resolver) => {
      resolvers.set(resolver, (resolvers.get(resolver) ?? 0) + 1)
      return new Promise<void>((resolve) => answers.push(resolve))
    })
  const questions = {
    ask,
    /** Answers the question that was asked as number `index`. */
    answer: (index: number) => answers[index]?.(),
    settled: () => clock.advance(0),
  }
  /** Questions per channel, in the order in which the channels were first used. */
  return { clock, pool, questions, used: () => [...resolvers.values()] }
}
