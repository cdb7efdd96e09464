/**
 * `treacle replay`: what the current configuration would have made of connections that a file tells
 * of - how many it would have slowed, whom, for what, and what another configuration would change.
 *
 * Files are read as a stream. What is kept grows with the number of different clients, by some fifty
 * bytes each, and with nothing else.
 */
import { ListFiles } from '../config/files.ts'
import { makeJudging } from '../config/judging.ts'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import { keptKey } from '../delay/key.ts'
import { type Dns, SystemDns } from '../dns/resolver.ts'
import { Log } from '../observe/log.ts'
import type { ReasonsAt } from '../reasons/index.ts'
import type { ModuleReason } from '../reasons/modules.ts'
import { connectionsOf, type Format, newReading, type Reading } from './read-file.ts'
import type { NameState, Recorded } from './read-record.ts'
import { ClientNumbers } from './replay-clients.ts'
import { Changes } from './replay-compare.ts'
import { groupReports, type InUse, labelReports, type ReplayDocument } from './replay-document.ts'
import { type Judge, makeJudge, noKey, type Opinion, remembering } from './replay-judge.ts'
import { Tallies } from './replay-tally.ts'

/** A configuration to judge by. */
export interface Settings {
  readonly config: Config
  /** Its file; null for the defaults. */
  readonly file: string | null
  /** Where its list files are looked for first. */
  readonly folder: string
  /** Those of reasons.modules, loaded. */
  readonly modules?: readonly ModuleReason[]
}

export interface ReplaySetup {
  readonly files: readonly string[]
  readonly format: Format | null
  readonly settings: Settings
  /** Another configuration, to tell what it would change. */
  readonly other: Settings | null
  /** Ask the DNS of today instead of believing the record. */
  readonly live: boolean
  readonly unknownAs: 'unknown' | 'none'
  /** Instead of the labels of the files. */
  readonly label: string | null
  /** For tests. */
  readonly dns?: Dns
}

/** How many connections are judged at once: look-ups take their time, records do not. */
const atOnce = { live: 100, recorded: 50 } as const

/**
 * @throws InputError when a file cannot be read; ConfigError when a list that a configuration names
 *   cannot.
 */
export async function replay(setup: ReplaySetup, clock: Clock): Promise<ReplayDocument> {
  const { settings, live } = setup
  if (!live) return await replayWith(null, setup, clock)
  if (setup.dns !== undefined) return await replayWith(setup.dns, setup, clock)
  const dns = new SystemDns(settings.config.dns, clock)
  try {
    return await replayWith(dns, setup, clock)
  } finally {
    dns.close()
  }
}

async function replayWith(
  dns: Dns | null,
  { files, format, settings, other, unknownAs, label }: ReplaySetup,
  clock: Clock,
): Promise<ReplayDocument> {
  const log = new Log(clock, { level: 'silent', format: 'json' })
  const around = { dns, log, clock, unknownAs }
  const current = prepare(settings, around)
  const alternative = other === null ? null : prepare(other, around)
  const run = new Run(current.judge, alternative?.judge ?? null, label)
  const readings = files.map(newReading)
  const limit = dns === null ? atOnce.recorded : atOnce.live
  for (const reading of readings) await run.file(reading, format, limit)
  const { delay } = settings.config
  return {
    kind: 'treacle-replay',
    version: 1,
    config: settings.file,
    dns: dns === null ? 'recorded' : 'live',
    target: delay.target,
    fullAt: delay.full_at,
    files: readings,
    names: run.names,
    heloUnknown: run.heloUnknown,
    reasonsFailed: log.counts['reason.failed'],
    labels: labelReports(run.tallies, current.inUse),
    groups: groupReports(run.tallies, current.inUse),
    compare: other === null ? null : run.changes.report(other.file ?? '(defaults)'),
  }
}

/** Makes the judge of a configuration, and tells which reasons are in use. */
function prepare(
  { config, folder, modules = [] }: Settings,
  around: { dns: Dns | null; log: Log; clock: Clock; unknownAs: 'unknown' | 'none' },
): { readonly judge: Judge; readonly inUse: readonly InUse[] } {
  const { dns, log, clock, unknownAs } = around
  const files = new ListFiles(folder)
  const world = { files, clock, log, modules, ...(dns === null ? {} : { dns }) }
  const judging = makeJudging(config, world)
  const key = keptKey(config.delay.key_file) ?? noKey
  const { recipients } = config
  const judge = remembering(
    makeJudge({ judging, recipients, delay: config.delay, key, dns, unknownAs }),
  )
  return { judge, inUse: inUse(judging.reasons) }
}

/** A judge for commands that go by what they are told. @throws ConfigError */
export function offlineJudge(settings: Settings, clock: Clock): Judge {
  const log = new Log(clock, { level: 'silent', format: 'json' })
  return prepare(settings, { dns: null, log, clock, unknownAs: 'unknown' }).judge
}

function inUse(reasons: ReasonsAt): InUse[] {
  const all = [reasons.connect, reasons.greeting, reasons.helo, reasons.mail, reasons.rcpt]
  return all
    .flat()
    .map(({ name, action, weight, excuses }) => ({ reason: name, action, weight, excuses }))
}

interface Judged {
  readonly recorded: Recorded
  readonly opinion: Opinion
  readonly alternative: Opinion | null
}

/** What is counted over all files. */
class Run {
  readonly tallies = new Tallies()
  readonly changes = new Changes()
  readonly names: Record<NameState, number> = {
    verified: 0,
    unverified: 0,
    none: 0,
    unknown: 0,
    unrecorded: 0,
  }
  heloUnknown = 0
  readonly #clients = new ClientNumbers()
  readonly #judge: Judge
  readonly #other: Judge | null
  readonly #label: string | null

  constructor(judge: Judge, other: Judge | null, label: string | null) {
    this.#judge = judge
    this.#other = other
    this.#label = label
  }

  /** Judges many at once and counts them in the order of the file. */
  async file(reading: Reading, format: Format | null, limit: number): Promise<void> {
    const waiting: Promise<Judged>[] = []
    for await (const batch of connectionsOf(reading, format)) {
      for (const recorded of batch) {
        waiting.push(this.#opinions(recorded))
        if (waiting.length >= limit) {
          this.#counted(reading.file, await Promise.all(waiting.splice(0, limit / 2)))
        }
      }
    }
    this.#counted(reading.file, await Promise.all(waiting))
  }

  async #opinions(told: Recorded): Promise<Judged> {
    const recorded = this.#label === null ? told : { ...told, label: this.#label }
    const opinion = await this.#judge(recorded)
    const alternative = this.#other === null ? null : await this.#other(recorded)
    return { recorded, opinion, alternative }
  }

  #counted(file: string, judged: readonly Judged[]): void {
    for (const { recorded, opinion, alternative } of judged) {
      this.names[recorded.nameState] += 1
      if (recorded.helo === '') this.heloUnknown += 1
      const client = this.#clients.of(recorded)
      this.tallies.add(file, recorded, { opinion, client })
      if (alternative !== null) {
        this.changes.add(file, recorded, { before: opinion, after: alternative, client })
      }
    }
  }
}
