/**
 * How much memory we use, and getting rid of what we use no more. The only file that asks the process
 * and V8.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export interface Memory {
  /** Bytes in use, garbage included. */
  inUse(): number
  /** Collects garbage, all of it, while everything stands still: tens of ms for each 100 MB that stay. */
  collect(): void
}

export const systemMemory: Memory = {
  /**
   * What is resident, less what the heap has free: the resident size alone hardly ever falls again,
   * as V8 keeps what it has for the next objects, so it would not tell that a rush is over.
   */
  inUse() {
    try {
      const { rss, heapTotal, heapUsed } = process.memoryUsage()
      lastInUse = rss - (heapTotal - heapUsed)
    } catch {
      // Asking takes a file descriptor, and there may be none; it was so a second ago.
    }
    return lastInUse
  },

  collect() {
    collector ??= makeCollector()
    collector()
  },
}

/**
 * From now on one thread collects what is young, not several: next to nothing of it lives, so they get in each other's
 * way, and keep more of it (docs/decisions/0007-speed.md).
 */
export function collectYoungAlone(): void {
  setFlagsFromString('--no-parallel-scavenge')
}

let lastInUse = 0
let collector: (() => void) | undefined

/** V8 shows its collector only to contexts that are made after it was asked to. */
function makeCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  return typeof gc === 'function' ? () => gc() : () => {}
}
