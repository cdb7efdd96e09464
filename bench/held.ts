/**
 * held.ts CONFIG: Treacle with a greet pause of an hour, which no config may ask for, so that those
 * who wait for their greeting can be measured at leisure. At SIGUSR2 it tells how late its event loop
 * has been since the last time, as "lag p99 N ms".
 */
import { dirname } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { App } from '../src/app.ts'
import { readConfig } from '../src/config/files.ts'
import { collectYoungAlone } from '../src/core/memory.ts'

const [file = 'treacle.toml'] = process.argv.slice(2)
const read = readConfig(file, {})
const config = { ...read, greeting: { ...read.greeting, pause: 3_600_000 } }
collectYoungAlone()
const app = new App({ config, file, folder: dirname(file) })

const resolutionMs = 5
const lag = monitorEventLoopDelay({ resolution: resolutionMs })
process.on('SIGUSR2', () => {
  console.log(`lag p99 ${(lag.percentile(99) / 1e6 - resolutionMs).toFixed(1)} ms`)
  lag.reset()
})
process.on('SIGTERM', () => void app.stop())
await app.start()
lag.enable()

// When nobody comes any more, to watch on would cost more than to hold them all.
let before = 0
const watching = setInterval(() => {
  const areAllIn = app.connectionCount > 1 && app.connectionCount === before
  before = app.connectionCount
  if (!areAllIn) return
  lag.disable()
  clearInterval(watching)
}, 500)
