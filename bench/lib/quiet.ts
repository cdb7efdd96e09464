/** Whether the machine is quiet enough to measure on, and how much of it others used during a run. */
import { readdirSync, readFileSync } from 'node:fs'

const HZ = 100
const GROUPS = '/sys/fs/cgroup/cpuacct'

export interface CpuTimes {
  busy: number
  steal: number
  bench: number
  at: number
}

/** Seconds of CPU so far: all work, stolen by the hypervisor, and of all groups named bench_*. */
export function cpuTimes(): CpuTimes {
  const f = readFileSync('/proc/stat', 'latin1').split('\n')[0]?.split(/\s+/).slice(1).map(Number)
  const [user, nice, system, , , irq, soft, steal] = f as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  let bench = 0
  try {
    for (const g of readdirSync(GROUPS)) {
      if (g.startsWith('bench_'))
        bench += Number(readFileSync(`${GROUPS}/${g}/cpuacct.usage`, 'latin1')) / 1e9
    }
  } catch {
    /* no such controller */
  }
  return {
    busy: (user + nice + system + irq + soft) / HZ,
    steal: steal / HZ,
    bench,
    at: performance.now() / 1000,
  }
}

/** Cores' worth of others' work and of stolen time between two readings. */
export function foreign(a: CpuTimes, b: CpuTimes): { others: number; steal: number } {
  const s = b.at - a.at
  return {
    others: Math.max(0, (b.busy - a.busy - (b.bench - a.bench)) / s),
    steal: (b.steal - a.steal) / s,
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms))

/** Waits until others use less than `limit` cores for half a second; false if that did not happen in time. */
export async function quiet(limit: number, maxMs: number): Promise<boolean> {
  for (const end = performance.now() + maxMs; ; ) {
    const a = cpuTimes()
    await sleep(500)
    const f = foreign(a, cpuTimes())
    if (f.others + f.steal < limit) return true
    if (performance.now() > end) return false
  }
}
