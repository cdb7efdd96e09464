/**
 * What another configuration would change, worst first: honest senders newly delayed, then spam that
 * gets off, then the rest.
 */
import type { Ms } from '../core/clock.ts'
import type { Recorded } from './read-record.ts'
import { type Count, Hits } from './replay-clients.ts'
import type { Opinion } from './replay-judge.ts'
import { type Example, exampleOf } from './replay-tally.ts'

/** What became of a connection under the other configuration. */
export const changes = ['newly delayed', 'longer', 'shorter', 'no longer delayed'] as const
export type Change = (typeof changes)[number]

export interface CompareReport {
  readonly config: string
  readonly totals: readonly {
    readonly label: string
    readonly changes: Readonly<Record<Change, Count>>
    readonly delayMs: Ms
  }[]
  /** Each client once, worst first. */
  readonly clients: readonly ChangedClient[]
  /** How many more there are than `clients` lists. */
  readonly unlisted: number
}

export interface ChangedClient {
  readonly label: string
  readonly change: Change
  readonly beforeMs: Ms
  readonly afterMs: Ms
  readonly connections: number
  /** `evidence` names the reasons that make the difference. */
  readonly example: Example
}

/** The labels of senders that nobody wants to hurt. */
const honest = new Set(['ham', 'accepted'])
const keptMax = 10_000
const listedMax = 1_000

type Entry = { -readonly [Key in keyof ChangedClient]: ChangedClient[Key] }

/** What two configurations make of a connection, and the number of its client. */
export interface Compared {
  readonly before: Opinion
  readonly after: Opinion
  readonly client: number
}

export class Changes {
  readonly #totals = new Map<string, { readonly hits: Map<Change, Hits>; delayMs: Ms }>()
  readonly #clients = new Map<string, Entry>()
  #dropped = 0

  add(file: string, recorded: Recorded, { before, after, client }: Compared): void {
    const { label } = recorded
    const total = this.#totals.get(label) ?? { hits: new Map(), delayMs: 0 }
    this.#totals.set(label, total)
    total.delayMs += after.delayMs - before.delayMs
    const change = changeOf(before.delayMs, after.delayMs)
    if (change === null) return
    const hits = total.hits.get(change) ?? new Hits()
    total.hits.set(change, hits)
    hits.add(client)
    if (client < 0) return
    this.#note(`${label} ${change} ${client}`, change, { file, recorded, before, after })
  }

  report(config: string): CompareReport {
    const none: Count = { connections: 0, clients: 0 }
    const totals = [...this.#totals].map(([label, { hits, delayMs }]) => ({
      label,
      changes: {
        'newly delayed': hits.get('newly delayed')?.count ?? none,
        longer: hits.get('longer')?.count ?? none,
        shorter: hits.get('shorter')?.count ?? none,
        'no longer delayed': hits.get('no longer delayed')?.count ?? none,
      },
      delayMs: Math.round(delayMs),
    }))
    const clients = [...this.#clients.values()].sort(worseFirst)
    const unlisted = this.#dropped + Math.max(0, clients.length - listedMax)
    return { config, totals, clients: clients.slice(0, listedMax), unlisted }
  }

  #note(
    key: string,
    change: Change,
    seen: { file: string; recorded: Recorded; before: Opinion; after: Opinion },
  ): void {
    const { file, recorded, before, after } = seen
    const known = this.#clients.get(key)
    if (known !== undefined) {
      known.connections += 1
      return
    }
    this.#clients.set(key, {
      label: recorded.label,
      change,
      beforeMs: Math.round(before.delayMs),
      afterMs: Math.round(after.delayMs),
      connections: 1,
      example: exampleOf(file, recorded, differenceOf(before, after)),
    })
    if (this.#clients.size > 2 * keptMax) this.#dropTheMild()
  }

  /** Keeps memory bounded; those that go are counted in the totals all the same. */
  #dropTheMild(): void {
    const worst = [...this.#clients].sort(([, a], [, b]) => worseFirst(a, b)).slice(0, keptMax)
    this.#dropped += this.#clients.size - worst.length
    this.#clients.clear()
    for (const [key, entry] of worst) this.#clients.set(key, entry)
  }
}

/** A change of less than a second is the arithmetic's. */
function changeOf(beforeMs: Ms, afterMs: Ms): Change | null {
  if (beforeMs === 0 && afterMs > 0) return 'newly delayed'
  if (beforeMs > 0 && afterMs === 0) return 'no longer delayed'
  if (afterMs - beforeMs >= 1_000) return 'longer'
  return beforeMs - afterMs >= 1_000 ? 'shorter' : null
}

/** Honest senders made to wait, spam let go, then what pleases: honest let go, spam made to wait. */
const honestRank: readonly Change[] = ['newly delayed', 'longer', 'shorter', 'no longer delayed']
const spamRank: readonly Change[] = ['no longer delayed', 'shorter', 'longer', 'newly delayed']

function rankOf({ label, change }: ChangedClient): number {
  if (isHonest(label)) {
    const rank = honestRank.indexOf(change)
    return rank < 2 ? rank : rank + 2
  }
  const rank = spamRank.indexOf(change)
  return rank < 2 ? rank + 2 : rank + 4
}

function worseFirst(a: ChangedClient, b: ChangedClient): number {
  const byDelay = Math.abs(b.afterMs - b.beforeMs) - Math.abs(a.afterMs - a.beforeMs)
  return rankOf(a) - rankOf(b) || byDelay || b.connections - a.connections
}

export function isHonest(label: string): boolean {
  return honest.has(label)
}

/** The reasons and excuses that only one of the two has found, or that count for more in one. */
function differenceOf(before: Opinion, after: Opinion): string {
  const counted = ({ weighed }: Opinion) =>
    new Map(weighed.map(({ finding, counts }) => [finding.reason, { finding, counts }]))
  const [old, now] = [counted(before), counted(after)]
  const parts: string[] = []
  for (const [reason, { finding, counts }] of now) {
    const was = old.get(reason)
    if (was === undefined) parts.push(`+ ${reason}: ${finding.evidence}`)
    else if (was.counts !== counts)
      parts.push(`${reason} counts ${counts} instead of ${was.counts}`)
  }
  for (const [reason, { finding }] of old) {
    if (!now.has(reason)) parts.push(`- ${reason}: ${finding.evidence}`)
  }
  return parts.length > 0 ? parts.join('; ') : 'the same findings, another delay'
}
