/** What a heap profile of V8 has, by the function that allocated it. */
import { basename } from 'node:path'

export interface Allocations {
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
  readonly selfSize: number
  readonly children: readonly Allocations[]
}

/** Lines of "bytes, allocated where", each for one of `per`. */
export function byFunction(head: Allocations, per: number): string[] {
  const bytes = new Map<string, number>()
  for (const { callFrame, selfSize } of all(head)) {
    const { functionName, url, lineNumber } = callFrame
    const where = url === '' ? '' : ` ${basename(url)}:${lineNumber + 1}`
    const name = `${functionName || '(anonymous)'}${where}`
    bytes.set(name, (bytes.get(name) ?? 0) + selfSize / per)
  }
  const sorted = [...bytes].sort((a, b) => b[1] - a[1]).slice(0, 40)
  const total = [...bytes.values()].reduce((sum, each) => sum + each, 0)
  const lines = sorted.map(([name, each]) => `${each.toFixed(0).padStart(6)}  ${name}`)
  return [`${total.toFixed(0)} bytes each`, ...lines]
}

function* all(node: Allocations): Generator<Allocations> {
  yield node
  for (const child of node.children) yield* all(child)
}
