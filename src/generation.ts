/**
 * Everything that is made from one reading of the configuration.
 *
 * A reload makes another; connections that are under way keep the one they came with, which is
 * closed when the last of them is gone.
 */
import { hostname } from 'node:os'
import { ListFiles } from './config/files.ts'
import { readyReasons } from './config/judging.ts'
import type { Config } from './config/schema.ts'
import type { Clock } from './core/clock.ts'
import type { Governor } from './delay/governor.ts'
import type { Holder } from './delay/holder.ts'
import { delayKey } from './delay/key.ts'
import { type DnsList, type DnsListEvent, runListChecks } from './dns/dns-list.ts'
import { type Dns, SystemDns } from './dns/resolver.ts'
import { defaultGateways } from './gate/gateways.ts'
import type { GateParts } from './gate/parts.ts'
import type { AddressGuard } from './memory/address-guard.ts'
import type { Greylist } from './memory/greylist.ts'
import type { Logins } from './memory/logins.ts'
import type { Networks } from './memory/networks.ts'
import type { Unheard } from './memory/unheard.ts'
import type { Log } from './observe/log.ts'
import type { ModuleReason } from './reasons/modules.ts'
import { Backend } from './relay/backend.ts'
import type { ContentLimits } from './relay/content.ts'
import { Certificates, tlsNeededBy } from './smtp/certificates.ts'
import { type HandshakeParts, handshake } from './smtp/handshake.ts'
import type { ServerParts } from './smtp/parts.ts'
import { TreacleServer } from './smtp/server.ts'

export interface Surroundings {
  readonly clock: Clock
  readonly log: Log
  readonly holder: Holder
  readonly governor: Governor
  readonly networks: Networks
  readonly guard: AddressGuard
  readonly greylist: Greylist
  readonly logins: Logins
  readonly unheard: Unheard
  /** The folder that list files are looked for in first. */
  readonly folder: string
  /** Asked instead of the servers in [dns]; for tests. */
  readonly dns?: Dns
}

export interface Generation {
  readonly config: Config
  readonly backend: Backend
  readonly gateParts: GateParts
  readonly dnsLists: readonly DnsList[]
  readonly certificates: Certificates
  /** What is left to do before it can be used, and takes a moment. */
  prepare(): Promise<void>
  /** Tests the DNS lists, now and from time to time, until it is retired. */
  begin(): void
  /** No new connection comes with it; it closes with the last one that did. */
  retire(): void
}

const listCheckEveryMs = 30 * 60_000

/** @throws ConfigError when a file that the configuration names is missing or wrong. */
export function makeGeneration(
  config: Config,
  around: Surroundings,
  modules: readonly ModuleReason[] = [],
): Generation {
  const { clock, log } = around
  const files = new ListFiles(around.folder)
  const knownGood = files.hosts(config.gate.known_good, 'gate.known_good')
  const screened =
    config.reasons.screened === '' ? null : files.hosts(config.reasons.screened, 'reasons.screened')
  const { certificates, tls } = tlsOf(config, around)
  const ownDns = around.dns === undefined ? new SystemDns(config.dns, clock) : null
  const dns = around.dns ?? ownDns ?? new SystemDns(config.dns, clock)
  const report = (event: DnsListEvent) => reportList(log, event)
  const name = config.name === '' ? hostname() : config.name
  const ownName = name.toLowerCase()
  const { reasons, lists } = readyReasons(config, {
    ...{ files, clock, log, dns, report, ownName, modules },
  })
  files.mustBeFine()
  const backend = new Backend(config.backend, name, clock, log)
  const server = serverOf(config, { name, tls, backend, clock, log })
  const life = lifeOf(() => {
    ownDns?.close()
    backend.spare.close()
  })
  const lookupsMax = config.reasons.lookups_max
  const watch = { clock, log, timeLimitMs: config.reasons.time_limit }
  return {
    config,
    backend,
    dnsLists: lists,
    certificates,
    prepare: () => certificates.prepare(name),
    gateParts: {
      proxies: config.listen.proxy_protocol_from,
      introducers: config.listen.xclient_from,
      limits: doorLimits(config),
      gateways: defaultGateways(),
      governor: around.governor,
      greeting: config.greeting,
      life,
      serve: (...visit) => server.serve(...visit),
      secure: (socket, session) => (tls === null ? null : handshake(socket, tls, session)),
      session: {
        name,
        observeOnly: config.mode === 'observe',
        clock,
        log,
        unheard: config.memory.unheard ? around.unheard : null,
        screening: { dns, reasons, watch, screened, knownGood, lookupsMax },
        delay: { options: config.delay, key: keyOf(config, log), holder: around.holder },
        backend,
        recipients: config.recipients,
        passAuth: config.reasons.botnet.pass_auth,
        networks: around.networks,
        guard: around.guard,
        greylist: around.greylist,
        logins: around.logins,
        failedLoginsMax: config.limits.failed_logins_max,
        limits: contentLimits(config),
      },
    },
    begin: () => {
      void certificates.watch(life.signal)
      runListChecks(lists, clock, { everyMs: listCheckEveryMs }, life.signal).catch(
        (error: unknown) => log.fault('dns lists', error),
      )
    },
    retire: life.retire,
  }
}

function contentLimits({ limits }: Config): ContentLimits {
  const { size_max: sizeMax, received_max: receivedMax, header_max: headerMax } = limits
  return { sizeMax, receivedMax, headerMax }
}

/** Places that are kept for nobody would only be missing. */
function doorLimits({ limits, gate }: Config): Config['limits'] {
  return gate.known_good === '' ? { ...limits, reserved: 0 } : limits
}

function serverOf(
  { smtp, limits, data }: Config,
  { backend, ...parts }: Pick<ServerParts, 'name' | 'tls' | 'clock' | 'log'> & { backend: Backend },
): TreacleServer {
  return new TreacleServer({
    ...parts,
    limits,
    data,
    auth: smtp.auth === 'relay' && parts.tls !== null,
    capabilities: () => backend.capabilities,
  })
}

/** Counts who still uses something, and closes it after the last one. */
function lifeOf(close: () => void) {
  const retired = new AbortController()
  let users = 0
  const closeWhenUnused = () => {
    if (retired.signal.aborted && users === 0) close()
  }
  return {
    signal: retired.signal,
    enter: () => {
      users += 1
    },
    leave: () => {
      users -= 1
      closeWhenUnused()
    },
    retire: () => {
      retired.abort(new Error('retired'))
      closeWhenUnused()
    },
  }
}

function keyOf(config: Config, log: Log): Buffer {
  return delayKey(config.delay.key_file, (why) => log.event('state.unavailable', { why }))
}

/** @returns `tls` is null when we have none. */
function tlsOf(
  config: Config,
  { clock, log }: Surroundings,
): { readonly certificates: Certificates; readonly tls: HandshakeParts | null } {
  const certificates = new Certificates(config.tls, tlsNeededBy(config), clock, log)
  const tls = { certificates, limitMs: config.tls.handshake_timeout, clock, log }
  return { certificates, tls: certificates.offered ? tls : null }
}

function reportList(log: Log, { kind, list, zone, why }: DnsListEvent): void {
  const name = `${list} (${zone})`
  if (kind === 'set-aside') log.event('dns-list.set-aside', { list: name, why })
  else if (kind === 'ipv6-off') log.event('dns-list.set-aside', { list: `${name}, IPv6 only`, why })
  else log.event('dns-list.back', { list: name })
}
