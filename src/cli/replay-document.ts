/**
 * What `treacle replay --json` prints, and what its text is made from. docs/replay.md tells what each
 * field means.
 *
 * The shape has a version. Fields may be added to a version; a field that goes, or means something
 * else, makes another.
 */
import type { Ms } from '../core/clock.ts'
import type { Action } from '../core/ledger.ts'
import type { Format } from './read-file.ts'
import type { NameState } from './read-record.ts'
import type { Count } from './replay-clients.ts'
import type { CompareReport } from './replay-compare.ts'
import type { Example, Group, ReasonTally, Tallies, Tally } from './replay-tally.ts'

export interface ReplayDocument {
  readonly kind: 'treacle-replay'
  readonly version: 1
  /** The config file; null for the defaults. */
  readonly config: string | null
  readonly dns: 'recorded' | 'live'
  readonly target: { readonly shortestMs: Ms; readonly longestMs: Ms }
  readonly fullAt: number
  readonly files: readonly FileReport[]
  /** How many connections have a name of which state. */
  readonly names: Readonly<Record<NameState, number>>
  /** Connections of which HELO is not known, so that it is not judged. */
  readonly heloUnknown: number
  /** How often a reason failed or was too slow, and so found nothing. */
  readonly reasonsFailed: number
  readonly labels: readonly GroupReport[]
  /** By label, source and hop; empty when that is the same. */
  readonly groups: readonly GroupReport[]
  readonly compare: CompareReport | null
}

export interface FileReport {
  readonly file: string
  readonly format: Format | null
  readonly lines: number
  readonly connections: number
  readonly bad: number
  readonly badLines: readonly { readonly line: number; readonly expected: string }[]
}

export interface GroupReport {
  readonly label: string
  readonly source: string | null
  readonly hop: string | null
  readonly all: Count
  readonly delayed: Count
  readonly whole: Count
  readonly greylisted: Count
  readonly rejected: Count
  readonly excused: Count
  readonly delayMs: Ms
  readonly byReasonCount: readonly number[]
  readonly reasons: readonly ReasonReport[]
  readonly together: readonly {
    readonly reasons: readonly string[]
    readonly connections: number
  }[]
}

export interface ReasonReport extends Count {
  readonly reason: string
  readonly action: Exclude<Action, 'off'>
  readonly weight: number
  /** The reasons that it excuses; [] for what speaks against a client. */
  readonly excuses: readonly string[]
  readonly alone: number
  readonly delayMs: Ms
  readonly examples: readonly Example[]
}

/** A reason that is in use, found or not. */
export type InUse = ReasonTally['finding']

export function labelReports(tallies: Tallies, inUse: readonly InUse[]): GroupReport[] {
  return [...tallies.labels]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, tally]) => reportOf({ label, source: null, hop: null }, tally, inUse))
}

/** A label that has but one group is told of already. */
export function groupReports(tallies: Tallies, inUse: readonly InUse[]): GroupReport[] {
  const groups = [...tallies.groups].sort(([a], [b]) => (a < b ? -1 : 1))
  if (groups.length === tallies.labels.size) return []
  return groups.map(([, { of, tally }]) => reportOf(of, tally, inUse))
}

function reportOf(
  of: Omit<Group, 'source' | 'hop'> & { source: string | null; hop: string | null },
  tally: Tally,
  inUse: readonly InUse[],
): GroupReport {
  const missing = inUse.filter(({ reason }) => !tally.reasons.has(reason))
  const together = [...tally.together].sort(([, a], [, b]) => b - a)
  return {
    ...of,
    all: tally.all.count,
    delayed: tally.delayed.count,
    whole: tally.whole.count,
    greylisted: tally.greylisted.count,
    rejected: tally.rejected.count,
    excused: tally.excused.count,
    delayMs: Math.round(tally.delayMs),
    byReasonCount: Array.from(tally.byReasonCount, (count) => count ?? 0),
    reasons: [
      ...[...tally.reasons.values()]
        .sort((a, b) => b.hits.count.connections - a.hits.count.connections)
        .map(reasonReport),
      ...missing.map(unfound),
    ],
    together: together.map(([key, connections]) => ({ reasons: key.split(' '), connections })),
  }
}

function reasonReport({ finding, hits, alone, delayMs, examples }: ReasonTally): ReasonReport {
  return { ...finding, ...hits.count, alone, delayMs: Math.round(delayMs), examples }
}

function unfound({ reason, action, weight, excuses }: InUse): ReasonReport {
  const zeros = { connections: 0, clients: 0, alone: 0, delayMs: 0 }
  return { reason, action, weight, excuses, ...zeros, examples: [] }
}
