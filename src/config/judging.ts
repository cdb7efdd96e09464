/**
 * The reasons of a configuration made ready for use, live or offline.
 *
 * For commands: `const judging = makeJudging(config, { files, clock, log })`, then
 * `await judge(hearsay, judging)` of session/judge.ts for each connection.
 */
import type { Clock } from '../core/clock.ts'
import { ConfigError, type Problem } from '../core/errors.ts'
import { wantedFor } from '../delay/actions.ts'
import { DnsList, type DnsListEvent, type DnsListSettings } from '../dns/dns-list.ts'
import type { Dns } from '../dns/resolver.ts'
import type { Log } from '../observe/log.ts'
import type { Brought } from '../reasons/brought.ts'
import { prepareReasons, type ReasonsAt, reasonNames } from '../reasons/index.ts'
import type { ModuleReason } from '../reasons/modules.ts'
import type { Judging } from '../session/judge.ts'
import { nearest } from './environment.ts'
import type { ListFiles } from './files.ts'
import { keyText } from './locate.ts'
import type { Config } from './schema.ts'

export interface Around {
  readonly files: ListFiles
  readonly clock: Clock
  readonly log: Log
  /** Those of reasons.modules, loaded. */
  readonly modules?: readonly ModuleReason[]
  /** What we call ourselves. */
  readonly ownName: string
  /** Whom DNS lists are asked of; null for nobody: every list is then unavailable. */
  readonly dns: Dns | null
  readonly report: (event: DnsListEvent) => void
}

export interface Ready {
  readonly reasons: ReasonsAt
  /** The DNS lists that the reasons ask, to be tested now and then. */
  readonly lists: readonly DnsList[]
}

/** @throws ConfigError when a file that the configuration names is missing or wrong. */
export function readyReasons(config: Config, around: Around): Ready {
  const { files, clock, report, ownName } = around
  const { reasons } = config
  const dns = around.dns ?? silentDns
  const lists: DnsList[] = []
  const shared = {
    acceptJunkHelo: files.hosts(reasons.helo_accept_junk_hosts, 'reasons.helo_accept_junk_hosts'),
    flavellExact: reasons.flavell_exact,
    openList: (settings: DnsListSettings) => {
      const list = new DnsList(settings, { dns, clock, report })
      lists.push(list)
      return list
    },
    ownName,
    wanted: wantedFor(config.recipients),
    names: (file: string) => files.names(file, 'reasons["helo-no-jive"].names'),
  }
  const brought = { own: config.reason, modules: around.modules ?? [] }
  const ready = { reasons: prepareReasons(reasons, shared, brought), lists }
  refuseStrange(config, brought)
  return ready
}

/** What is set for a reason that there is not would be without effect, and nobody would know. */
function refuseStrange({ reasons, recipients }: Config, brought: Brought): void {
  const known = reasonNames(reasons, brought)
  const ofModules = brought.modules.map(({ name }) => name)
  const problems = [
    ...strangeIn(reasons.settings, ofModules, ['reasons', 'settings']),
    ...Object.entries(recipients).flatMap(([domain, { actions }]) =>
      strangeIn(actions, known, ['recipients', domain, 'actions']),
    ),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
}

/** @param path Where the table stands whose keys are names of reasons. */
function strangeIn(table: object, known: readonly string[], path: readonly string[]): Problem[] {
  return Object.keys(table)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = nearest(name, known)
      const all = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`
      const hint = near === undefined ? all : `did you mean "${near}"?`
      return { where: '', key: keyText([...path, name]), what: `no reason of this name; ${hint}` }
    })
}

/** @throws ConfigError */
export function makeJudging(
  config: Config,
  around: Omit<Around, 'report' | 'dns' | 'ownName'> & { readonly dns?: Dns },
): Judging {
  const { files, clock, log } = around
  const { screened } = config.reasons
  const { reasons } = readyReasons(config, {
    ...around,
    ownName: config.name.toLowerCase(),
    dns: around.dns ?? null,
    report: () => {},
  })
  const judging = {
    reasons,
    watch: { clock, log, timeLimitMs: config.reasons.time_limit },
    screened: screened === '' ? null : files.hosts(screened, 'reasons.screened'),
    knownGood: files.hosts(config.gate.known_good, 'gate.known_good'),
    lookupsMax: config.reasons.lookups_max,
    clock,
    fullAt: config.delay.full_at,
  }
  files.mustBeFine()
  return judging
}

const unavailable = { kind: 'unavailable', why: 'no DNS is asked' } as const

const silentDns: Dns = {
  addresses: async () => unavailable,
  pointers: async () => unavailable,
  texts: async () => unavailable,
  exchanges: async () => unavailable,
}
