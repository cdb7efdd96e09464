/**
 * A program that has log.test.ts look at a log whose reader is slow: it writes more than a pipe holds, one
 * line more while that is being written, lets the time for that line pass, and says so on stderr.
 */
import { Log } from '../../src/observe/log.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const clock = new FakeClock()
const log = new Log(clock, { level: 'info', format: 'json' })
for (let count = 0; count < 10; count += 1) {
  log.event('backend.up', { address: 'x'.repeat(20_000) })
}
log.event('backend.up', { address: 'the last' })
await clock.advance(1_000)
process.stderr.write('its time has passed\n')
// As in the product, time goes on; nothing more is said.
setInterval(() => void clock.advance(100), 10)
