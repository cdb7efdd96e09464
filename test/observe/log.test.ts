/** Events: counted always, heard by whoever listens, written where they are worth a line. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { type EventName, events, zeroCounts } from '../../src/observe/events.ts'
import { Log } from '../../src/observe/log.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { ledgerOf } from './worlds.ts'

describe('Log', () => {
  it('has a count of 0 for every event from the start', () => {
    const { counts } = silent()
    assert.deepEqual(Object.keys(counts).sort(), Object.keys(events).sort())
    assert.ok(Object.values(counts).every((count) => count === 0))
    assert.equal(counts['our-fault'], 0)
  })

  it('counts each log for itself', () => {
    const one = silent()
    one.event('server.stopped', { connections: 0 })
    assert.equal(one.counts['server.stopped'], 1)
    assert.equal(silent().counts['server.stopped'], 0)
    assert.equal(zeroCounts()['server.stopped'], 0)
  })

  it('counts and tells what is not written, throttled or silent', () => {
    const log = silent()
    const heard: string[] = []
    log.listen((name) => heard.push(name))
    for (let count = 0; count < 5; count += 1) log.event('delay.slots-full', { held: count })
    assert.equal(log.counts['delay.slots-full'], 5)
    assert.deepEqual(heard, Array(5).fill('delay.slots-full'))
  })

  it('tells every listener the fields, until it is taken off', () => {
    const log = silent()
    const [first, second]: [unknown[], unknown[]] = [[], []]
    const stop = log.listen((name, fields) => first.push([name, fields]))
    log.listen((name, fields) => second.push([name, fields]))
    log.event('backend.up', { address: '192.0.2.1:25' })
    stop()
    stop()
    log.event('backend.up', { address: '192.0.2.2:25' })
    assert.deepEqual(first, [['backend.up', { address: '192.0.2.1:25' }]])
    assert.equal(second.length, 2)
  })

  it('hands a listener the ledger itself', () => {
    const log = silent()
    const ledger = ledgerOf('c1')
    let heard: unknown = null
    log.listen((_name, fields) => {
      heard = 'ledger' in fields ? fields.ledger : null
    })
    log.event('connection', { ledger })
    assert.equal(heard, ledger)
  })

  it('counts a bug of ours, with its stack where it has one', () => {
    const log = silent()
    const stacks: string[] = []
    log.listen((_name, fields) => 'stack' in fields && stacks.push(fields.stack))
    log.fault('here', new TypeError('oops'))
    log.fault('there', 'thrown text')
    log.fault('nowhere', undefined)
    assert.equal(log.counts['our-fault'], 3)
    assert.match(stacks[0] ?? '', /^TypeError: oops\n +at .*log\.test\.ts/)
    assert.deepEqual(stacks.slice(1), ['thrown text', 'undefined'])
  })

  it('never throttles a bug of ours or the line of a connection', () => {
    const unthrottled: readonly EventName[] = ['our-fault', 'connection', 'recipient.delayed']
    for (const name of unthrottled) assert.equal(events[name].atMostEveryMs, undefined, name)
  })
})

describe('the lines of the log', () => {
  const lines: Record<string, unknown>[] = []
  let output = ''
  before(() => {
    const program = join(import.meta.dirname, 'log-lines.ts')
    output = execFileSync(process.execPath, [program], { encoding: 'utf8', timeout: 60_000 })
    for (const line of output.trimEnd().split('\n')) lines.push(JSON.parse(line))
  })

  it('begin with level, time and name, from the clock that the log was given', () => {
    assert.deepEqual(lines[0], {
      level: 'warn',
      time: '2026-11-22T11:07:23.456Z',
      event: 'reason.failed',
      reason: 'unqual-helo',
      why: 'time 0',
    })
  })

  it('tell what strangers can repeat once a minute, and how often it happened besides', () => {
    const failed = lines.filter(({ event }) => event === 'reason.failed')
    assert.deepEqual(
      failed.map(({ why, alsoHappened }) => [why, alsoHappened]),
      [
        ['time 0', undefined],
        ['a minute later', 3],
        ['two minutes later', undefined],
      ],
    )
  })

  it('are those of the level that is set, also when it is set anew', () => {
    assert.deepEqual(
      lines.map(({ event }) => event),
      [
        'reason.failed',
        'backend.down',
        'reason.failed',
        'reason.failed',
        'connection',
        'our-fault',
        'recipient.left',
      ],
    )
  })

  it('lay the ledger of a connection out flat, with what the client wrote', () => {
    const { event, level, time, ...ledger } = lines[4] ?? {}
    assert.deepEqual([event, level, time], ['connection', 'info', '2026-11-22T11:09:23.456Z'])
    assert.deepEqual(ledger, { ...ledgerOf('c1'), helo: 'a\r\n\x1b[2J\x9b2J\u202e"' })
  })

  it('hold no character that moves a cursor', () => {
    assert.doesNotMatch(output.replaceAll('\n', ''), /[\p{Cc}\u2028\u2029\u202a-\u202e]/u)
  })
})

function silent(): Log {
  return new Log(new FakeClock(), { level: 'silent', format: 'json' })
}

describe('a log whose reader is slow', () => {
  // 2026-11-28: under load the last lines stayed away until somebody said more.
  it('has its last line all the same, though nothing more is said', {
    timeout: 20_000,
  }, async () => {
    const program = join(import.meta.dirname, 'log-held-up.ts')
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'] })
    try {
      await once(child.stderr, 'data')
      let tail = ''
      for await (const chunk of child.stdout) {
        tail = `${tail}${chunk}`.slice(-200)
        if (tail.includes('the last')) break
      }
      assert.match(tail, /"the last"/)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
