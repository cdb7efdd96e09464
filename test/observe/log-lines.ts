/** A program that has log.test.ts look at real lines: it writes some events and ends. */
import { Log } from '../../src/observe/log.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { ledgerOf } from './worlds.ts'

const clock = new FakeClock()
clock.setWall(new Date('2026-11-22T11:07:23.456Z'))
const log = new Log(clock, { level: 'info', format: 'json' })

for (let count = 0; count < 3; count += 1) {
  log.event('reason.failed', { reason: 'unqual-helo', why: `time ${count}` })
}
log.event('backend.down', { why: 'of another name: written at once' })
log.event('recipient.left', { client: '192.0.2.1', hostname: '', helo: '', connectedMs: 1 })
await clock.advance(59_999)
log.event('reason.failed', { reason: 'unqual-helo', why: 'a moment too early' })
await clock.advance(1)
log.event('reason.failed', { reason: 'unqual-helo', why: 'a minute later' })
await clock.advance(60_000)
log.event('reason.failed', { reason: 'unqual-helo', why: 'two minutes later' })

log.event('connection', { ledger: { ...ledgerOf('c1'), helo: 'a\r\n\x1b[2J\x9b2J\u202e"' } })
log.level = 'error'
log.event('server.stopped', { connections: 0 })
log.fault('test', 'thrown text')
log.level = 'debug'
log.event('recipient.left', { client: '192.0.2.1', hostname: '', helo: '', connectedMs: 1 })
