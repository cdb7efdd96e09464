/**
 * What the findings come to: weights add up, excuses take away. Pure arithmetic.
 *
 * `delay.full_at` is the sum that earns the whole target; less earns its part of it. An excuse takes
 * away from the reasons that it answers and from no others, so that a good host name does not make
 * up for a HELO that says "localhost".
 */
import type { Finding } from '../core/ledger.ts'

/** A finding with what is left of its weight after the excuses. */
export interface Weighed {
  readonly finding: Finding
  /** From 0 to the weight of the finding; 0 for an excuse. */
  readonly counts: number
}

export interface Verdict {
  readonly weighed: readonly Weighed[]
  readonly sum: number
  /** Of the target, from 0 to 1. */
  readonly fraction: number
}

/** @param fullAt The sum that earns the whole target. */
export function weigh(findings: readonly Finding[], fullAt: number): Verdict {
  const left = new Map(
    findings.map((finding) => [finding, finding.excuses.length > 0 ? 0 : finding.weight]),
  )
  for (const excuse of findings.filter(({ excuses }) => excuses.length > 0)) {
    let remaining = excuse.weight
    for (const [finding, weight] of left) {
      if (!excuse.excuses.some((name) => name === '*' || name === finding.reason)) continue
      const taken = Math.min(weight, remaining)
      left.set(finding, weight - taken)
      remaining -= taken
    }
  }
  const weighed = [...left].map(([finding, counts]) => ({ finding, counts }))
  const sum = weighed.reduce((total, { counts }) => total + counts, 0)
  return { weighed, sum, fraction: Math.min(1, sum / fullAt) }
}
