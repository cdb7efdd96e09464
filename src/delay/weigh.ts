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
  if (findings.every(({ excuses }) => excuses.length > 0)) return onlyExcuses(findings)
  const left = new Map(findings.map((finding) => [finding, ownWeight(finding, findings)]))
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

/** What most clients come to. */
function onlyExcuses(findings: readonly Finding[]): Verdict {
  if (findings.length === 0) return nothing
  return { weighed: findings.map((finding) => ({ finding, counts: 0 })), sum: 0, fraction: 0 }
}

const nothing: Verdict = { weighed: [], sum: 0, fraction: 0 }

/** What it weighs before the excuses. A reason that is found at two stages counts once. */
function ownWeight(finding: Finding, all: readonly Finding[]): number {
  if (finding.excuses.length > 0) return 0
  const alike = all.filter(
    ({ reason, excuses }) => reason === finding.reason && excuses.length === 0,
  )
  const heaviest = alike.reduce((most, each) => (each.weight > most.weight ? each : most))
  return heaviest === finding ? finding.weight : 0
}
