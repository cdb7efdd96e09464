/** Looking: several reasons at once, each with a time limit, none able to do harm. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import type { EventFields } from '../../src/observe/events.ts'
import { Log } from '../../src/observe/log.ts'
import { look } from '../../src/reasons/look.ts'
import type { Evidence, Reason } from '../../src/reasons/reason.ts'
import { ipOf, stays } from '../dns/worlds.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { factsOf, toolsFor } from './worlds.ts'

const client = ipOf('192.0.2.1')

describe('look', () => {
  it('has the findings of all reasons, in the order of the reasons', async () => {
    const { see, clock } = setUp()
    const found = see([
      reason('slow', async (_facts, { signal }) => {
        await clock.sleep(5_000, signal)
        return 'slow evidence'
      }),
      reason('none', () => null),
      reason('never', async () => null),
      reason('quick', ({ helo }) => `quick ${helo}`, { action: 'observe', header: 'X-Quick: yes' }),
    ])
    await clock.advance(5_000)
    assert.deepEqual(await found, [
      {
        reason: 'slow',
        stage: 'helo',
        evidence: 'slow evidence',
        action: 'delay',
        weight: 10,
        excuses: [],
        header: null,
      },
      {
        reason: 'quick',
        stage: 'helo',
        evidence: 'quick MarineGuy',
        action: 'observe',
        weight: 10,
        excuses: [],
        header: 'X-Quick: yes',
      },
    ])
    assert.equal(clock.sleeping, 0)
  })

  it('runs them at the same time', async () => {
    const { see, clock } = setUp()
    const sleeper = (name: string) =>
      reason(name, async (_facts, { signal }) => {
        await clock.sleep(9_000, signal)
        return name
      })
    const found = see([sleeper('a'), sleeper('b'), sleeper('c')])
    await clock.advance(9_000)
    assert.deepEqual(
      (await found).map(({ evidence }) => evidence),
      ['a', 'b', 'c'],
    )
  })

  it('takes empty evidence for evidence', async () => {
    const { see } = setUp()
    assert.equal((await see([reason('a', () => '')])).length, 1)
  })

  it('has nothing to find without reasons', async () => {
    assert.deepEqual(await setUp().see([]), [])
  })

  const failures: readonly {
    find: Reason<'helo'>['find']
    header?: () => string
    why: string
    because: string
  }[] = [
    { find: fail, why: 'out of luck', because: 'it throws' },
    { find: async () => fail(), why: 'out of luck', because: 'it rejects' },
    {
      find: () => Promise.reject('no error at all'),
      why: 'no error at all',
      because: 'it rejects with a text',
    },
    { find: () => 'found', header: fail, why: 'out of luck', because: 'its header throws' },
    { find: () => new Promise(() => {}), why: 'took too long', because: 'it never answers' },
  ]
  for (const { find, header, why, because } of failures) {
    it(`counts a failure and goes on without it: ${because}`, async () => {
      const { see, clock, log, heard } = setUp()
      const broken = { ...reason('broken', find), header: () => header?.() ?? null }
      const found = see([reason('a', () => 'a'), broken, reason('b', async () => 'b')])
      await clock.advance(10_000)
      assert.deepEqual(
        (await found).map(({ evidence }) => evidence),
        ['a', 'b'],
      )
      assert.deepEqual(heard, [{ reason: 'broken', why }])
      assert.equal(log.counts['reason.failed'], 1)
      assert.equal(clock.sleeping, 0)
    })
  }

  it('waits as long as the limit allows and not a moment longer', async () => {
    const { see, clock, heard } = setUp()
    let settled = false
    const found = see([reason('never', () => new Promise(() => {}))]).then((findings) => {
      settled = true
      return findings
    })
    await clock.advance(9_999)
    assert.equal(settled, false)
    await clock.advance(1)
    assert.deepEqual(await found, [])
    assert.equal(heard.length, 1)
  })

  it('forgets what a reason says too late, even if it fails then', async () => {
    const { see, clock, heard } = setUp()
    const found = see([
      reason('late', async () => {
        await clock.sleep(20_000, stays())
        return fail()
      }),
    ])
    await clock.advance(10_000)
    assert.deepEqual(await found, [])
    await clock.advance(20_000)
    assert.deepEqual(heard, [{ reason: 'late', why: 'took too long' }])
  })

  it('ends as soon as the client leaves, and that is no failure', async () => {
    const { see, clock, heard } = setUp()
    const leaving = new AbortController()
    const found = see(
      [
        reason('obedient', async (_facts, { signal }) => {
          await clock.sleep(60_000, signal)
          return null
        }),
        reason('deaf', () => new Promise(() => {})),
      ],
      leaving.signal,
    )
    let ended: unknown = null
    const end = found.catch((reason: unknown) => {
      ended = reason
    })
    leaving.abort(new Error('hung up'))
    await clock.advance(0)
    assert.match(String(ended), /hung up/)
    await end
    assert.deepEqual(heard, [])
    assert.equal(clock.sleeping, 0)
  })

  it('finds nothing about a client that has left already', async () => {
    const { see, clock } = setUp()
    const signal = AbortSignal.abort(new Error('hung up before'))
    await assert.rejects(see([reason('a', async () => 'a')], signal), /hung up before/)
    assert.equal(clock.sleeping, 0)
  })

  it('leaves no listener at the signal of a client that stays', async () => {
    const { see } = setUp()
    const { signal } = new AbortController()
    await see([reason('a', async () => 'a')], signal)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
})

function setUp() {
  const clock = new FakeClock()
  const log = new Log(clock, { level: 'silent', format: 'json' })
  const heard: EventFields['reason.failed'][] = []
  log.listen((name, fields) => {
    if (name === 'reason.failed' && 'reason' in fields) heard.push(fields)
  })
  const see = async (reasons: readonly Reason<'helo'>[], signal = stays()) =>
    await look(
      reasons,
      factsOf({ client, helo: 'MarineGuy' }),
      toolsFor(client, undefined, signal),
      {
        clock,
        log,
        timeLimitMs: 10_000,
      },
    )
  return { clock, log, heard, see }
}

function reason(
  name: string,
  find: Reason<'helo'>['find'],
  { action = 'delay', header = null }: { action?: 'observe' | 'delay'; header?: Evidence } = {},
): Reason<'helo'> {
  return { name, stage: 'helo', action, weight: 10, excuses: [], find, header: () => header }
}

function fail(): never {
  throw new Error('out of luck')
}
