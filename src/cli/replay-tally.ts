/**
 * Counts what was found: by reason, together, by connection and by distinct client.
 *
 * A client is an address with its name and its HELO; a few busy hosts sway the count of connections
 * and not that of clients. A client counts as delayed when any of its connections is.
 */
import type { Ms } from '../core/clock.ts'
import type { Finding } from '../core/ledger.ts'
import type { Weighed } from '../delay/weigh.ts'
import type { NameState, Recorded } from './read-record.ts'
import { Hits } from './replay-clients.ts'
import type { Opinion } from './replay-judge.ts'

/** A connection that shows what a reason is about. */
export interface Example {
  readonly file: string
  readonly line: number
  readonly client: string
  readonly name: string
  readonly nameState: NameState
  readonly helo: string
  readonly sender: string | null
  readonly evidence: string
}

/** What was made of a connection, and the number of its client. */
export interface Judged {
  readonly opinion: Opinion
  readonly client: number
}

/** What one reason, or excuse, has come to. */
export class ReasonTally {
  readonly finding: Pick<Finding, 'reason' | 'action' | 'weight' | 'excuses'>
  readonly hits = new Hits()
  /** Connections of which nothing else was found, excuses apart. */
  alone = 0
  /** Of connections that it had a part in. */
  delayMs: Ms = 0
  readonly examples: Example[] = []

  constructor(finding: ReasonTally['finding']) {
    this.finding = finding
  }
}

export class Tally {
  readonly all = new Hits()
  readonly delayed = new Hits()
  readonly whole = new Hits()
  readonly greylisted = new Hits()
  readonly rejected = new Hits()
  /** Something was found, and nothing would have come of it: excused, or exempt. */
  readonly excused = new Hits()
  delayMs: Ms = 0
  /** How many connections had none, one, two ... reasons. */
  readonly byReasonCount: number[] = []
  readonly reasons = new Map<string, ReasonTally>()
  /** How often two reasons were found together, by their names with a space between. */
  readonly together = new Map<string, number>()

  add(file: string, recorded: Recorded, { opinion, client }: Judged): void {
    const { weighed, delayMs } = opinion
    const accusing = weighed.filter(({ finding }) => finding.excuses.length === 0)
    this.#addOutcome(client, opinion, accusing)
    this.#addPairs(accusing)
    for (const { finding, counts } of weighed) {
      const tally = this.#reason(finding)
      tally.hits.add(client)
      if (accusing.length === 1) tally.alone += 1
      if (counts > 0) tally.delayMs += delayMs
      if (tally.examples.length < examplesMax) {
        tally.examples.push(exampleOf(file, recorded, finding.evidence))
      }
    }
  }

  #addOutcome(client: number, opinion: Opinion, accusing: readonly Weighed[]): void {
    const { delayMs, whole, consequence } = opinion
    this.all.add(client)
    this.delayMs += delayMs
    if (delayMs > 0) this.delayed.add(client)
    if (whole) this.whole.add(client)
    if (consequence === 'greylist') this.greylisted.add(client)
    if (consequence === 'reject') this.rejected.add(client)
    const isAccused = accusing.some(({ finding }) => finding.action !== 'observe')
    if (isAccused && consequence === 'nothing') this.excused.add(client)
    this.byReasonCount[accusing.length] = (this.byReasonCount[accusing.length] ?? 0) + 1
  }

  #reason(finding: Finding): ReasonTally {
    const known = this.reasons.get(finding.reason)
    if (known !== undefined) return known
    const { reason, action, weight, excuses } = finding
    const tally = new ReasonTally({ reason, action, weight, excuses })
    this.reasons.set(reason, tally)
    return tally
  }

  #addPairs(accusing: readonly Weighed[]): void {
    const names = accusing.map(({ finding }) => finding.reason).sort()
    for (const [index, name] of names.entries()) {
      for (const other of names.slice(index + 1)) {
        const key = `${name} ${other}`
        this.together.set(key, (this.together.get(key) ?? 0) + 1)
      }
    }
  }
}

const examplesMax = 5

export function exampleOf(file: string, recorded: Recorded, evidence: string): Example {
  const { line, ip, name, nameState, helo, sender } = recorded
  return { file, line, client: ip.text, name, nameState, helo, sender, evidence }
}

/** Tallies by label, and by label, source and hop. */
export class Tallies {
  readonly labels = new Map<string, Tally>()
  readonly groups = new Map<string, { readonly of: Group; readonly tally: Tally }>()

  add(file: string, recorded: Recorded, judged: Judged): void {
    const { label, source, hop } = recorded
    const total = this.labels.get(label) ?? new Tally()
    if (this.labels.size < groupsMax) this.labels.set(label, total)
    total.add(file, recorded, judged)
    const key = `${label}\t${source}\t${hop}`
    const group = this.groups.get(key) ?? { of: { label, source, hop }, tally: new Tally() }
    if (this.groups.size < groupsMax) this.groups.set(key, group)
    group.tally.add(file, recorded, judged)
  }
}

export interface Group {
  readonly label: string
  readonly source: string
  readonly hop: string
}

/** More kinds of labels are no labels; those that come later are not counted by themselves. */
const groupsMax = 200
