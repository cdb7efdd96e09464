/**
 * What a server costs, read from /proc (Linux): CPU seconds, resident and proportional memory, open
 * descriptors of a tree of processes, and the kernel memory that sockets take.
 *
 * CPU is best read from a cpuacct control group (it counts children that were forked and have gone);
 * without one the tree is summed, children that were reaped included.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

const PAGE_KB = 4
const TICKS = 100 // USER_HZ, fixed at 100 on Linux for all common architectures

const read = (path: string): string => readFileSync(path, 'latin1')

interface Stat {
  ppid: number
  cpuTicks: number
}

function stat(pid: number): Stat | undefined {
  try {
    const text = read(`/proc/${pid}/stat`)
    const f = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // fields after comm: 0 state, 1 ppid, 11 utime, 12 stime, 13 cutime, 14 cstime
    return {
      ppid: Number(f[1]),
      cpuTicks: Number(f[11]) + Number(f[12]) + Number(f[13]) + Number(f[14]),
    }
  } catch {
    return undefined
  }
}

/** The given processes and all their living descendants. */
export function tree(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const s = stat(pid)
    if (!s) continue
    const list = children.get(s.ppid)
    if (list) list.push(pid)
    else children.set(s.ppid, [pid])
  }
  const found = new Set<number>()
  const queue = roots.filter((pid) => existsSync(`/proc/${pid}`))
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    if (found.has(pid)) continue
    found.add(pid)
    queue.push(...(children.get(pid) ?? []))
  }
  return [...found]
}

/** CPU seconds (user + system) so far: of the control group if one is named, else of the tree. */
export function cpuSeconds(roots: readonly number[], cgroup?: string): number {
  if (cgroup) return Number(read(`/sys/fs/cgroup/cpuacct/${cgroup}/cpuacct.usage`)) / 1e9
  let ticks = 0
  for (const pid of tree(roots)) ticks += stat(pid)?.cpuTicks ?? 0
  return ticks / TICKS
}

/** CPU seconds of one process so far, all its threads; the kernel tells them in ticks of 10 ms. */
export function cpuByMode(pid: number): { user: number; system: number } {
  const text = read(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[11]) / TICKS, system: Number(fields[12]) / TICKS }
}

export interface Memory {
  processes: number
  rssKb: number
  pssKb: number
  anonKb: number
}

/** Sum over the tree. PSS splits shared pages among their users, so it does not count them twice. */
export function memory(roots: readonly number[]): Memory {
  const m: Memory = { processes: 0, rssKb: 0, pssKb: 0, anonKb: 0 }
  for (const pid of tree(roots)) {
    try {
      const t = read(`/proc/${pid}/smaps_rollup`)
      const kb = (key: string): number =>
        Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(t)?.[1] ?? 0)
      m.processes++
      m.rssKb += kb('Rss')
      m.pssKb += kb('Pss')
      m.anonKb += kb('Anonymous')
    } catch {
      /* gone meanwhile */
    }
  }
  return m
}

/** Highest resident size the kernel has seen for any single process of the tree. */
export function peakRssKb(roots: readonly number[]): number {
  let peak = 0
  for (const pid of tree(roots)) {
    try {
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0))
    } catch {
      /* gone meanwhile */
    }
  }
  return peak
}

/** Open descriptors over the tree. */
export function descriptors(roots: readonly number[]): number {
  let n = 0
  for (const pid of tree(roots)) {
    try {
      n += readdirSync(`/proc/${pid}/fd`).length
    } catch {
      /* gone meanwhile */
    }
  }
  return n
}

/** How many descriptors a process that we start may have open; Node has raised its own limit as far as it may go. */
export function descriptorsMax(): number {
  const said = /^Max open files\s+(\d+)/m.exec(read('/proc/self/limits'))?.[1]
  return said === undefined ? Number.POSITIVE_INFINITY : Number(said)
}

export interface Kernel {
  /** kB of socket buffers that the TCP stack accounts for (/proc/net/sockstat). */
  tcpBuffersKb: number
  slabKb: number
  unreclaimableSlabKb: number
  kernelStackKb: number
  pageTablesKb: number
  /** kB in the caches that a TCP connection's objects come from, by cache name. */
  socketSlabsKb: number
  availableKb: number
}

/** Caches that grow with TCP connections; the names are the kernel's. */
const SOCKET_SLABS =
  /^(TCP|tw_sock_TCP|request_sock_TCP|sock_inode_cache|filp|dentry|eventpoll_epi|eventpoll_pwq|skbuff_\w+|ep_head|tcp_bind_bucket|tcp_bind2_bucket|ip_dst_cache|inet_peer_cache|lsm_\w+)$/

export function kernel(): Kernel {
  const mem = read('/proc/meminfo')
  const kb = (key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(mem)?.[1] ?? 0)
  let slabs = 0
  try {
    for (const line of read('/proc/slabinfo').split('\n').slice(2)) {
      const f = line.split(/\s+/)
      if (f.length > 6 && SOCKET_SLABS.test(f[0] ?? ''))
        slabs += (Number(f[2]) / Number(f[4])) * Number(f[5]) * PAGE_KB
    }
  } catch {
    /* not root */
  }
  const sock = read('/proc/net/sockstat')
  return {
    tcpBuffersKb: Number(/^TCP:.* mem (\d+)/m.exec(sock)?.[1] ?? 0) * PAGE_KB,
    slabKb: kb('Slab'),
    unreclaimableSlabKb: kb('SUnreclaim'),
    kernelStackKb: kb('KernelStack'),
    pageTablesKb: kb('PageTables'),
    socketSlabsKb: Math.round(slabs),
    availableKb: kb('MemAvailable'),
  }
}

export function difference<T extends object>(after: T, before: T): T {
  const out: Record<string, number> = {}
  for (const [k, v] of Object.entries(after))
    out[k] = v - ((before as Record<string, number>)[k] ?? 0)
  return out as T
}

/** Sets the kernel's peak of resident memory back to the present size, so that peakRssKb speaks of one run. */
export function resetPeak(roots: readonly number[]): void {
  for (const pid of tree(roots)) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5')
    } catch {
      /* gone meanwhile, or not root */
    }
  }
}
