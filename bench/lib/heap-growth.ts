/** What one heap snapshot of V8 has more of than another, by kind and name. */

export interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[]
      readonly node_types: readonly [readonly string[], ...unknown[]]
    }
  }
  readonly nodes: readonly number[]
  readonly strings: readonly string[]
}

interface Sum {
  readonly count: number
  readonly bytes: number
}

/** Lines of "bytes, how many, of what", each for one of `per`. */
export function heapGrowth(before: HeapSnapshot, after: HeapSnapshot, per: number): string[] {
  const old = sums(before)
  const grown = [...sums(after)].map(([name, { count, bytes }]) => {
    const was = old.get(name) ?? { count: 0, bytes: 0 }
    return { name, count: (count - was.count) / per, bytes: (bytes - was.bytes) / per }
  })
  const total = grown.reduce((sum, { bytes }) => sum + bytes, 0)
  const lines = grown
    .filter(({ bytes }) => bytes > 8)
    .sort((a, b) => b.bytes - a.bytes)
    .map(
      ({ name, count, bytes }) =>
        `${bytes.toFixed(0).padStart(6)} ${count.toFixed(2).padStart(7)}  ${name}`,
    )
  return [`${total.toFixed(0)} bytes each`, ...lines.slice(0, 60)]
}

function sums({ snapshot: { meta }, nodes, strings }: HeapSnapshot): ReadonlyMap<string, Sum> {
  const at = (field: string) => meta.node_fields.indexOf(field)
  const [type, name, size] = [at('type'), at('name'), at('self_size')]
  const found = new Map<string, Sum>()
  for (let start = 0; start < nodes.length; start += meta.node_fields.length) {
    const kind = meta.node_types[0][nodes[start + type] ?? 0] ?? ''
    const key = `${kind} ${(strings[nodes[start + name] ?? 0] ?? '').slice(0, 70)}`
    const { count, bytes } = found.get(key) ?? { count: 0, bytes: 0 }
    found.set(key, { count: count + 1, bytes: bytes + (nodes[start + size] ?? 0) })
  }
  return found
}
