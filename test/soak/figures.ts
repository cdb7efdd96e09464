/**
 * Loaded into Treacle before everything else (`node --import`): at SIGUSR2 it collects garbage, twice, and
 * writes down what the process holds, one line of JSON in the file that SOAK_FIGURES names.
 */
import { appendFileSync, readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')
const settleMs = 300

process.on('SIGUSR2', () => {
  collectGarbage()
  // What has native memory behind it gives that back some time after the collection, and its own
  // dependents go with the next one.
  setTimeout(() => {
    collectGarbage()
    setTimeout(write, settleMs).unref()
  }, settleMs).unref()
})

function collectGarbage(): void {
  if (typeof collect === 'function') collect()
}

function write(): void {
  const { heapUsed, external, rss } = process.memoryUsage()
  const resources = process.getActiveResourcesInfo()
  const count = (pattern: RegExp) => resources.filter((name) => pattern.test(name)).length
  const figures = {
    heapMb: megabytes(heapUsed),
    externalMb: megabytes(external),
    rssMb: megabytes(rss),
    sockets: count(/TCP|TLS/),
    timers: count(/Timeout|Immediate/),
    files: readdirSync('/proc/self/fd').length,
  }
  appendFileSync(process.env.SOAK_FIGURES ?? '/dev/null', `${JSON.stringify(figures)}\n`)
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 102.4) / 10
}
