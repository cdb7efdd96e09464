/**
 * Loaded into Treacle before everything else (`node --import`): at SIGUSR2 it collects garbage, again and again, and
 * writes down what the process holds, one line of JSON in the file that SOAK_FIGURES names.
 */
import { appendFileSync, readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')
const collections = 4

process.on('SIGUSR2', () => collectAndWrite(collections))

/** What has native memory behind it is freed in a later turn of the loop, or by the next collection; so are its dependents. */
function collectAndWrite(left: number): void {
  if (left === 0) return write()
  collectGarbage()
  setImmediate(() => collectAndWrite(left - 1))
}

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
