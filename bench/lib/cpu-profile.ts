/** Where the time of a V8 CPU profile went: self time by origin and by function, idle time left out. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
}

interface Profile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Modules of Node by what they are about. */
const nodeParts: readonly (readonly [RegExp, string])[] = [
  [/internal\/streams|^stream/, 'node:stream'],
  [/^net$|stream_base_commons/, 'node:net'],
  [/timers/, 'node:timers'],
  [/buffer/, 'node:buffer'],
  [/task_queues|promise|async_/, 'node:async'],
  [/crypto/, 'node:crypto'],
  [/dns|cares/, 'node:dns'],
]

/** The lines of a summary. @param top How many functions. */
export function summariseCpuProfile(file: string, top: number): string[] {
  const profile: Profile = JSON.parse(readFileSync(file, 'utf8'))
  const self = selfTimes(profile)
  const byOrigin = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let total = 0
  for (const node of profile.nodes) {
    const time = self.get(node.id) ?? 0
    const { functionName, url, lineNumber } = node.callFrame
    if (time === 0 || functionName === '(idle)' || functionName === '(root)') continue
    total += time
    const origin = originOf(node)
    const name = `${functionName || '(anonymous)'} ${origin}${url === '' ? '' : `:${lineNumber + 1}`}`
    byOrigin.set(origin, (byOrigin.get(origin) ?? 0) + time)
    byFunction.set(name, (byFunction.get(name) ?? 0) + time)
  }
  const busy = `busy ${(total / 1e6).toFixed(2)} s`
  return [busy, ...ranked(byOrigin, total, 30), '--', ...ranked(byFunction, total, top)]
}

function selfTimes({ samples, timeDeltas }: Profile): ReadonlyMap<number, number> {
  const self = new Map<number, number>()
  for (const [index, id] of samples.entries()) {
    self.set(id, (self.get(id) ?? 0) + (timeDeltas[index] ?? 0))
  }
  return self
}

function ranked(times: ReadonlyMap<string, number>, total: number, count: number): string[] {
  const sorted = [...times].sort((a, b) => b[1] - a[1]).slice(0, count)
  return sorted.map(([name, time]) => `${((time / total) * 100).toFixed(1).padStart(5)} %  ${name}`)
}

/** An npm package, a part of Node, a file of ours, or what is native. */
function originOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (functionName.startsWith('(garbage')) return '(garbage collection)'
  if (functionName === '(program)') return '(native: syscalls, libuv, C++)'
  if (url === '') return '(native call)'
  if (url.startsWith('node:')) {
    const part = url.slice('node:'.length)
    return nodeParts.find(([pattern]) => pattern.test(part))?.[1] ?? url
  }
  const [, name, file = ''] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)/.exec(url) ?? []
  return name === undefined ? basename(url) : `${name}: ${basename(file)}`
}
