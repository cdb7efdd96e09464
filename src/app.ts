/** Treacle as a whole: builds every part once, in order; starts, reloads, stops. */
import { Admin } from './admin/admin.ts'
import type { Vitals } from './admin/readiness.ts'
import { openRelay } from './config/open-relay.ts'
import { needRestart } from './config/restart.ts'
import type { Config } from './config/schema.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { messageOf } from './core/errors.ts'
import { type Memory, systemMemory } from './core/memory.ts'
import { Governor } from './delay/governor.ts'
import { Holder } from './delay/holder.ts'
import type { Dns } from './dns/resolver.ts'
import { Gate } from './gate/gate.ts'
import { guardProblem, makeGuard } from './gate/guard.ts'
import type { Inherited } from './gate/inherited.ts'
import { placesOf } from './gate/listener.ts'
import { type Generation, makeGeneration, type Surroundings } from './generation.ts'
import { Greylist } from './memory/greylist.ts'
import { Logins } from './memory/logins.ts'
import { Networks } from './memory/networks.ts'
import { Unheard } from './memory/unheard.ts'
import { Log } from './observe/log.ts'
import { MainLog } from './observe/mainlog.ts'
import type { ModuleReason } from './reasons/modules.ts'
import { BackendUnreachable, OpenRelayRisk } from './relay/failures.ts'

export interface AppSetup {
  readonly config: Config
  /** The config file, as the log names it. */
  readonly file: string
  /** The folder that list files are looked for in first. */
  readonly folder: string
  /** Those of reasons.modules, loaded. */
  readonly modules?: readonly ModuleReason[]
  readonly clock?: Clock
  readonly dns?: Dns
  readonly memory?: Memory
}

export class App {
  readonly log: Log
  readonly holder: Holder
  readonly #clock: Clock
  readonly #gate: Gate
  readonly #admin: Admin
  readonly #around: Surroundings
  readonly #unheard: Unheard
  readonly #stopping = new AbortController()
  readonly #networks: Networks
  readonly #greylist: Greylist
  /** What counts until the end where a reload cannot change it. */
  readonly #begunWith: Config
  #generation: Generation
  #draining = false
  #mainlog: MainLog | null = null
  #stopListening: () => void = () => {}

  /** @throws ConfigError */
  constructor(setup: AppSetup) {
    const { config, folder, clock = systemClock, dns, modules = [] } = setup
    this.#clock = clock
    this.#begunWith = config
    this.log = new Log(clock, config.log)
    this.holder = new Holder(clock, config.delay.slots, (held) =>
      this.log.event('delay.slots-full', { held }),
    )
    const { log, holder } = this
    this.#networks = new Networks(clock, config.memory, (why) =>
      log.event('state.unavailable', { why }),
    )
    this.#greylist = new Greylist(clock, config.greylist)
    const [networks, greylist] = [this.#networks, this.#greylist]
    this.#unheard = new Unheard(config.memory, clock, (why) =>
      log.event('state.unavailable', { why }),
    )
    this.#around = {
      clock,
      log,
      holder,
      governor: new Governor({ clock, log, holder, memory: setup.memory ?? systemMemory }),
      networks,
      greylist,
      guard: makeGuard(clock, log, config.gate.guard === 'auto'),
      unheard: this.#unheard,
      logins: new Logins(clock),
      folder,
      ...(dns === undefined ? {} : { dns }),
    }
    this.#generation = makeGeneration(config, this.#around, modules)
    this.#gate = new Gate(clock, this.log, () => this.#generation.gateParts)
    this.#admin = new Admin({
      clock,
      log,
      vitals: () => this.#vitals(),
      backendFault: () => this.#backendFault(),
      backendUp: () => this.#generation.backend.healthy,
    })
    this.#openMainlog(config)
  }

  /** How many clients are in. */
  get connectionCount(): number {
    return this.#gate.connectionCount
  }

  /**
   * Begins to serve.
   *
   * @param inherited Sockets that somebody listens on for us already, which then go before those
   *   of the configuration.
   * @returns Where clients can connect.
   * @throws ConfigError when the back end would make us an open relay; what the operating system
   *   says when an address cannot be had.
   */
  async start(inherited: readonly Inherited[] = []): Promise<string[]> {
    const { listen, admin, limits } = this.#generation.config
    const openAdmin = this.#admin.prepare(admin)
    await this.#ready(this.#generation)
    this.#generation.begin()
    this.#around.governor.watch(limits.memory_max)
    await openAdmin()
    try {
      const places = placesOf(listen, inherited)
      return await Promise.all(places.map((place) => this.#gate.listen(place)))
    } catch (error) {
      // All or nothing: no half of a server stays behind.
      this.#gate.drain()
      this.#around.governor.stop()
      this.#generation.retire()
      await this.#admin.close()
      throw error
    }
  }

  /**
   * New connections use this configuration; running ones keep theirs.
   *
   * @throws ConfigError, with everything as it was before.
   */
  async reload(config: Config, modules: readonly ModuleReason[] = []): Promise<void> {
    const openAdmin = this.#admin.prepare(config.admin)
    const next = makeGeneration(config, this.#around, modules)
    try {
      await this.#ready(next)
    } catch (error) {
      next.retire()
      throw error
    }
    const last = this.#generation
    const settings = needRestart(this.#begunWith, config).join(', ')
    if (settings !== '') this.log.event('config.needs-restart', { settings })
    this.#generation = next
    next.begin()
    last.retire()
    this.holder.slotsMax = config.delay.slots
    this.#greylist.options = config.greylist
    this.#around.guard.on = config.gate.guard === 'auto'
    this.#around.governor.watch(config.limits.memory_max)
    this.#unheard.configure(config.memory)
    this.log.level = config.log.level
    await this.#closeMainlog()
    this.#openMainlog(config)
    await openAdmin()
  }

  /** Lets messages under way finish, up to the grace period, then closes everything. */
  async stop(): Promise<void> {
    const graceMs = this.#generation.config.shutdown_grace
    this.log.event('server.draining', { connections: this.connectionCount, graceMs })
    this.#draining = true
    this.#gate.drain()
    const emptied = this.#gate.emptied()
    const graceOver = Promise.withResolvers<void>()
    const stopTimer = this.#clock.after(graceMs, graceOver.resolve)
    await Promise.race([emptied, graceOver.promise])
    stopTimer()
    const connections = this.#gate.cutOff()
    await emptied
    this.#stopping.abort(new Error('stopped'))
    this.#around.governor.stop()
    this.#generation.retire()
    this.#networks.save()
    await this.#admin.close()
    this.log.event('server.stopped', { connections })
    await this.#closeMainlog()
    await this.log.flush()
  }

  /** Finds out what the back end offers, and that it does not make us an open relay. */
  async #ready({ backend, prepare }: Generation): Promise<void> {
    await prepare()
    try {
      await backend.probe(this.#stopping.signal)
    } catch (error) {
      const unsafe = error instanceof OpenRelayRisk
      const unproven = error instanceof BackendUnreachable && backend.needsProof
      const why = messageOf(error)
      if (unproven)
        throw openRelay(`the back end cannot be asked whether it takes XCLIENT (${why})`)
      if (unsafe) throw openRelay(why)
      if (!(error instanceof BackendUnreachable)) throw error
      // It may come up later than we do; until then clients hear 451.
    }
  }

  #vitals(): Vitals {
    const { dnsLists, certificates } = this.#generation
    return {
      draining: this.#draining,
      connections: this.connectionCount,
      held: this.holder.heldCount,
      dnsLists: dnsLists.map(({ name, setAside }) => ({ name, setAside })),
      certificate: certificates.soonest,
      certificateFault: certificates.fault,
      shortOfMemory: this.#around.governor.isShort,
      guard: guardProblem(this.#around.guard),
    }
  }

  async #backendFault(): Promise<string | null> {
    try {
      await this.#generation.backend.probe(this.#stopping.signal)
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  #openMainlog({ log }: Config): void {
    if (log.mainlog === '') return
    const mainlog = new MainLog(log.mainlog, this.#clock, (error) =>
      this.log.event('state.unavailable', { why: `main log: ${error.message}` }),
    )
    this.#stopListening = this.log.listen(mainlog.hear)
    this.#mainlog = mainlog
  }

  async #closeMainlog(): Promise<void> {
    this.#stopListening()
    await this.#mainlog?.close()
    this.#mainlog = null
  }
}
