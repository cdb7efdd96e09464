/**
 * A Postfix that queues and retries, Treacle, and a back end: three real processes, of which any can be
 * killed, stopped or cut off while messages are under way, and started again where it was.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { requireCommand } from '../mta/servers/installed.ts'
import { freePort } from '../mta/servers/place.ts'
import { type Postfix, startPostfix } from '../mta/servers/postfix.ts'
import { type Daemon, run, startDaemon } from '../mta/servers/process.ts'
import { signalAll } from '../mta/servers/session.ts'
import { Talk } from '../mta/servers/talk.ts'
import type { Place } from './links.ts'

/** Where in the dialogue with the back end a fault strikes. */
export type Step =
  | 'banner'
  | 'EHLO'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  /** In the middle of the content. */
  | 'body'
  /** After the final dot, before the message is stored. */
  | 'dot'
  /** Stored, before the back end says 250. */
  | 'stored'
  /** After its 250. */
  | 'answered'

export interface WorldOptions {
  readonly folder: string
  readonly place: Place
  readonly step: Step
  /** Every so many arrivals at the step. */
  readonly every: number
  readonly hitsMax: number
  /** More settings, as TOML with dotted keys. */
  readonly config: string
  /** More arguments for node, before the program. */
  readonly nodeArgs?: readonly string[]
}

const mainFile = join(import.meta.dirname, '../../src/main.ts')
const backendFile = join(import.meta.dirname, 'backend.ts')

/** Gives up and tries again in seconds where others take minutes and hours. */
const impatient = {
  mynetworks: '127.0.0.0/8',
  smtpd_relay_restrictions: 'permit_mynetworks, reject',
  minimal_backoff_time: '1s',
  maximal_backoff_time: '1s',
  queue_run_delay: '1s',
  transport_retry_time: '1s',
  service_throttle_time: '1s',
  // One at a time: what a fault does to others that are under way is not the question.
  default_destination_concurrency_limit: '1',
  default_destination_concurrency_failed_cohort_limit: '100000',
  smtp_connection_cache_on_demand: 'no',
  smtp_connect_timeout: '2s',
  smtp_helo_timeout: '4s',
  smtp_mail_timeout: '4s',
  smtp_rcpt_timeout: '4s',
  smtp_data_init_timeout: '4s',
  smtp_data_xfer_timeout: '4s',
  smtp_data_done_timeout: '5s',
  smtp_quit_timeout: '2s',
}

const settings = (world: World) => `
name = "mx.treacle.example"
shutdown_grace = "1s"
listen.addresses = ["${world.address}"]
backend.addresses = ["${world.backendAddress}"]
backend.recipient_domains = ["example.net"]
backend.connect_timeout = "2s"
backend.command_timeout = "2s"
backend.data_timeout = "2s"
backend.block_timeout = "2s"
backend.final_timeout = "3s"
backend.retry_after = "1s"
greeting.pause = "0s"
greeting.pause_suspect = "0s"
delay.target = ["1s", "1s"]
limits.rate_per_address_max = 10000
limits.rate_per_network_max = 10000
delay.key_file = "${world.stateFolder}/delay.key"
reasons.sorbs-dul.action = "off"
log.mainlog = "${world.stateFolder}/mainlog"
`

export class World implements AsyncDisposable {
  readonly options: WorldOptions
  readonly address: string
  readonly backendAddress: string
  readonly stateFolder: string
  readonly #ports: readonly [front: number, back: number]
  readonly #stored: string
  #starts = 0
  #hitsBefore = 0
  #struck = 0
  #released = 0
  #sender: Postfix | null = null
  #treacle: Daemon | null = null
  #backend: Daemon | null = null
  /** What all Treacles together have logged so far. */
  #logged = ''

  private constructor(options: WorldOptions, front: number, back: number) {
    this.options = options
    this.#ports = [front, back]
    this.address = `${options.place.front}:${front}`
    this.backendAddress = `${options.place.back}:${back}`
    this.stateFolder = join(options.folder, 'state')
    this.#stored = join(options.folder, 'stored')
  }

  static async begin(options: WorldOptions): Promise<World> {
    const world = new World(options, await freePort(), await freePort())
    await mkdir(world.stateFolder, { recursive: true })
    const own = options.config.includes('dns.') ? '' : 'dns.servers = ["127.0.0.1:1"]\n'
    const file = join(options.folder, 'treacle.toml')
    // Whoever is to be struck as a conversation begins needs one for each message.
    const fresh = ['banner', 'EHLO'].includes(options.step) ? 'backend.reuse = 0\n' : ''
    await writeFile(file, settings(world) + own + fresh + options.config)
    await writeFile(world.#stored, '')
    try {
      await world.startBackend()
      await world.startTreacle()
      const relayhost = `[${options.place.front}]:${world.#ports[0]}`
      world.#sender = await startPostfix({ relayhost, config: impatient })
      return world
    } catch (error) {
      await world[Symbol.asyncDispose]()
      throw error
    }
  }

  get treaclePid(): number {
    return this.#treacle?.pid ?? 0
  }

  get backendPid(): number {
    return this.#backend?.pid ?? 0
  }

  /** How often the back end has come to the step and waits, or waited. */
  get hits(): number {
    return this.#hitsBefore + (this.#backend?.output.match(/^hit$/gm)?.length ?? 0)
  }

  get log(): string {
    return this.#logged + (this.#treacle?.output ?? '')
  }

  async startTreacle(): Promise<void> {
    const [command = '', ...args] = [
      ...this.options.place.prefix,
      process.execPath,
      ...(this.options.nodeArgs ?? []),
      ...[mainFile, 'run', '--config', join(this.options.folder, 'treacle.toml')],
    ]
    const ready = /"event":"server.listening"/
    this.#treacle = await startDaemon({ command, args, ready, folder: await this.#newFolder() })
  }

  async startBackend(): Promise<void> {
    const { place, step, every, hitsMax } = this.options
    const left = hitsMax - this.hits
    const args = [place.back, this.#ports[1], this.#stored, step, every, left].map(String)
    this.#backend = await startDaemon({
      command: process.execPath,
      args: [backendFile, ...args],
      ready: /ready/,
      folder: await this.#newFolder(),
    })
  }

  async killTreacle(): Promise<void> {
    const killed = this.#treacle
    this.#treacle = null
    signalAll([killed?.pid ?? 0], 'SIGKILL')
    await killed?.stop()
    this.#logged += killed?.output ?? ''
  }

  async killBackend(): Promise<void> {
    const hits = this.hits
    const killed = this.#backend
    this.#backend = null
    this.#hitsBefore = hits
    signalAll([killed?.pid ?? 0], 'SIGKILL')
    await killed?.stop()
  }

  /** True when the back end waits for the next strike, which begins now. */
  isHit(): boolean {
    if (this.hits <= this.#struck) return false
    this.#struck += 1
    return true
  }

  /** The back end goes on from the step where it waits; once for each strike. */
  goOn(): void {
    if (this.#released === this.#struck) return
    this.#released = this.#struck
    signalAll([this.backendPid], 'SIGUSR2')
  }

  /** The processes of Postfix that speak to Treacle. */
  async clientPids(): Promise<number[]> {
    const pids = this.#sender?.pids() ?? []
    const names = pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''))
    const found = await Promise.all(names)
    return pids.filter((_, index) => found[index]?.trim() === 'smtp')
  }

  /** Gives Postfix messages to send, ids from 1 to `count`; every `bigEvery`-th is of 8 MB. */
  async send(count: number, bigEvery: number): Promise<void> {
    const line = `${'x'.repeat(76)}\n`
    using client = await Talk.to(`127.0.0.1:${this.#sender?.port}`)
    await client.opens('localhost')
    for (let id = 1; id <= count; id += 1) {
      const body = line.repeat(id % bigEvery === 0 ? 100_000 : 20)
      await client.gives('user@example.net')
      await client.sends(`X-Fault-Id: ${id}\nSubject: fault ${id}\n\n${body}`)
    }
    await client.quits()
  }

  /** Whether Postfix has nothing left to send; otherwise it is to try again now. */
  async isSent(): Promise<boolean> {
    if (this.#sender === null || (await this.#sender.queueIsEmpty())) return true
    await this.#sender.flush()
    return false
  }

  async senderLog(): Promise<string> {
    return (await this.#sender?.log()) ?? ''
  }

  /** How often each message has been stored, by its id. */
  async stored(): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    for (const id of (await readFile(this.#stored, 'utf8')).split('\n').filter((id) => id !== '')) {
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    return counts
  }

  async limitFiles(limit: number): Promise<void> {
    const args = ['--pid', String(this.treaclePid), `--nofile=${limit}:20000`]
    await run(requireCommand('prlimit'), args, { timeoutMs: 5_000 })
    await sleep(0)
  }

  async #newFolder(): Promise<string> {
    this.#starts += 1
    const folder = join(this.options.folder, `run-${this.#starts}`)
    await mkdir(folder)
    return folder
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever has been stopped would not hear that it is to end.
    signalAll([this.treaclePid, this.backendPid, ...(await this.clientPids())], 'SIGCONT')
    await Promise.all([this.#sender?.stop(), this.#treacle?.stop(), this.#backend?.stop()])
  }
}
