/** Small statistics helpers: exact percentiles on sorted samples, medians, rounding. */

export interface Summary {
  n: number
  min: number
  p50: number
  p90: number
  p99: number
  max: number
  mean: number
}

/** Nearest-rank percentile of an ascending array (p in 0..1). */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return NaN
  const rank = Math.ceil(p * sorted.length) - 1
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? NaN
}

export function median(...values: readonly number[]): number {
  const s = [...values].sort((a, b) => a - b)
  if (s.length === 0) return NaN
  const mid = s.length >> 1
  const upper = s[mid] ?? NaN
  return s.length % 2 === 1 ? upper : ((s[mid - 1] ?? NaN) + upper) / 2
}

export function round(value: number, digits = 3): number {
  if (!Number.isFinite(value)) return value
  const f = 10 ** digits
  return Math.round(value * f) / f
}

export function summarise(values: readonly number[], digits = 3): Summary {
  const s = Float64Array.from(values).sort()
  let sum = 0
  for (const v of s) sum += v
  return {
    n: s.length,
    min: round(s[0] ?? NaN, digits),
    p50: round(percentile(s, 0.5), digits),
    p90: round(percentile(s, 0.9), digits),
    p99: round(percentile(s, 0.99), digits),
    max: round(s[s.length - 1] ?? NaN, digits),
    mean: round(sum / s.length, digits),
  }
}
