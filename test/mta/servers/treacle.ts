/**
 * The real Treacle as a process of its own, as an operator runs it: `node src/main.ts run --config
 * FILE`, in a private folder, on a free port.
 *
 * Settings that every test wants the same are here; a test gives those that it is about, as dotted
 * keys. Disposing of it fails the test when Treacle caught a bug of its own or complained.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import type { Ledger } from '../../../src/core/ledger.ts'
import { seedOnly } from '../../helpers/seed-only.ts'
import { inFolder } from './place.ts'
import { type Daemon, startDaemon, waitUntil } from './process.ts'

const mainFile = join(import.meta.dirname, '../../../src/main.ts')
const configFile = 'treacle.toml'

export interface TreacleOptions {
  /** TOML with dotted keys at the top, which win over the usual ones below. */
  readonly config: string
  /** Files beside the config file, by name; it is also the working folder. */
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** A socket that listens already, handed over as systemd does; it goes before listen.addresses. */
  readonly listeningFd?: number
}

/** No greet pause, the shortest delay there is, and a DNS that nobody serves. */
const usual: readonly (readonly [key: string, value: string])[] = [
  ['name', '"mx.treacle.example"'],
  ['shutdown_grace', '"5s"'],
  ['listen.addresses', '["127.0.0.1:0"]'],
  ['greeting.pause', '"0s"'],
  ['greeting.pause_suspect', '"0s"'],
  ['delay.target', '["1s", "1s"]'],
  ['delay.key_file', '"delay.key"'],
  ['reasons.sorbs-dul.action', '"off"'],
  ...seedOnly,
  ['dns.servers', '["127.0.0.1:1"]'],
  ['dns.timeout', '"1s"'],
  ['log.mainlog', '"mainlog"'],
  ['admin.listen', '""'],
]

const handOver = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string }

/** Starts Treacle and waits until it listens. Throws, with what it said, when it does not. */
export function startTreacle(options: TreacleOptions): Promise<Treacle> {
  return inFolder('run', async (folder) => {
    await writeFiles(folder, { ...options.files, [configFile]: withUsual(options.config) })
    const { listeningFd } = options
    const args = [mainFile, 'run', '--config', configFile]
    const daemon = await startDaemon({
      // The number of the process is known to itself only; exec keeps it.
      command: listeningFd === undefined ? process.execPath : '/bin/sh',
      args: listeningFd === undefined ? args : ['-c', handOver, process.execPath, ...args],
      descriptors: listeningFd === undefined ? [] : [listeningFd],
      env: environment(options.env),
      folder,
      ready: /"event":"server.listening"/,
    })
    const treacle = new Treacle(daemon, folder)
    // It listens a moment before it can be told anything; until then a signal would just end it.
    await waitUntil(
      async () => daemon.hasExited || catches(treacle.pid, constants.signals.SIGTERM),
      {
        timeoutMs: 20_000,
        what: async () => `Treacle takes signals\n${treacle.output}`,
      },
    )
    return treacle
  })
}

/** Whether a process has a handler for a signal, from /proc (proc(5), SigCgt). */
function catches(pid: number, signal: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [, mask = '0'] = /^SigCgt:\s+([0-9a-f]+)/m.exec(status) ?? []
  return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n
}

export class Treacle implements AsyncDisposable {
  /** Where clients connect, "127.0.0.1:port". */
  readonly address: string
  readonly folder: string
  readonly #daemon: Daemon
  #lastMainlog: string | null = null

  constructor(daemon: Daemon, folder: string) {
    this.#daemon = daemon
    this.folder = folder
    const [, address = ''] = /"server.listening","address":"([^"]+)"/.exec(daemon.output) ?? []
    this.address = address
  }

  get port(): number {
    return Number(this.address.split(':').at(-1))
  }

  get pid(): number {
    return this.#daemon.pid
  }

  /** The process ids of it and of everything it has forked. */
  pids(): readonly number[] {
    return this.#daemon.pids()
  }

  /** All it has written, complaints on standard error included. */
  get output(): string {
    return this.#daemon.output
  }

  async log(): Promise<LogLine[]> {
    return logLines(this.#daemon.output)
  }

  /** The lines of one event. */
  async events(name: string): Promise<LogLine[]> {
    return (await this.log()).filter(({ event }) => event === name)
  }

  /** The same, as soon as there are `count`. */
  async waitForEvents(name: string, count = 1): Promise<LogLine[]> {
    await waitUntil(async () => (await this.events(name)).length >= count, {
      timeoutMs: 30_000,
      what: async () => `${count} events ${name}\n${this.output}`,
    })
    return await this.events(name)
  }

  /** The ledgers of the connections that have ended, in the order of their end. */
  async ledgers(): Promise<Ledger[]> {
    return ledgersIn(await this.events('connection'))
  }

  /** The same, as soon as there are `count`. */
  async waitForLedgers(count: number): Promise<Ledger[]> {
    return ledgersIn(await this.waitForEvents('connection', count))
  }

  /** The main log in Exim's form, also after it has stopped. */
  async mainlog(): Promise<string> {
    if (this.#lastMainlog !== null) return this.#lastMainlog
    return await readFile(join(this.folder, 'mainlog'), 'utf8').catch(() => '')
  }

  /** Writes a file beside the config file; all of it is there at once. */
  async write(name: string, text: string): Promise<void> {
    await writeFiles(this.folder, { [name]: text })
  }

  /** Writes the config file anew; the usual settings are added. */
  async configure(config: string): Promise<void> {
    await this.write(configFile, withUsual(config))
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#daemon.hasExited) process.kill(this.pid, name)
  }

  /** Has it read its configuration again, and waits until it has. */
  async hangUp(): Promise<LogLine> {
    const heard = async () => [
      ...(await this.events('config.reloaded')),
      ...(await this.events('config.rejected')),
    ]
    const before = new Set((await heard()).map((line) => JSON.stringify(line)))
    const news = async () => (await heard()).find((line) => !before.has(JSON.stringify(line)))
    this.signal('SIGHUP')
    const what = async () => `an answer to SIGHUP\n${this.output}`
    await waitUntil(async () => (await news()) !== undefined, { timeoutMs: 30_000, what })
    const line = await news()
    assert.ok(line)
    return line
  }

  /** How many sockets it has open right now: those it listens on, clients, back ends, DNS. */
  async socketCount(): Promise<number> {
    const folder = `/proc/${this.pid}/fd`
    const links = (await readdir(folder)).map((fd) =>
      readlink(join(folder, fd)).catch(() => 'closed meanwhile'),
    )
    return (await Promise.all(links)).filter((link) => link.startsWith('socket:')).length
  }

  /** The same, as soon as it has stayed the same for a moment: what has been said good-bye to is gone. */
  async restingSocketCount(): Promise<number> {
    const last: number[] = []
    const isSettled = async () => {
      last.push(await this.socketCount())
      return last.length > 10 && last.slice(-10).every((count) => count === last.at(-1))
    }
    await waitUntil(isSettled, {
      timeoutMs: 30_000,
      what: async () => `a number of sockets that stays, not ${last.slice(-10)}`,
    })
    return last.at(-1) ?? 0
  }

  /** The memory it occupies, in bytes. */
  get residentBytes(): number {
    const [, kilobytes = '0'] =
      /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) * 1_024
  }

  /** Waits until it has ended by itself. @returns Its exit code. */
  async ended(): Promise<number | null> {
    await waitUntil(async () => this.#daemon.hasExited, {
      timeoutMs: 40_000,
      what: async () => `Treacle ends\n${this.output}`,
    })
    return this.#daemon.exitCode
  }

  /** Asks it to stop, waits until it has, and removes its folder. @returns Its exit code. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM')
    try {
      return await this.ended()
    } finally {
      this.#lastMainlog = await this.mainlog()
      await this.#daemon.stop()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    const faults = await this.events('our-fault')
    assert.deepEqual(faults, [], 'Treacle caught a bug of its own')
    const other = this.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
    assert.deepEqual(other, [], 'Treacle wrote something that is no log line')
  }
}

export interface Ended {
  /** null when it did not end in time and was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command of Treacle to its end, in a private folder.
 *
 * @param files Written there first, by name.
 */
export async function runTreacle(
  args: readonly string[],
  { files = {}, env }: Partial<Pick<TreacleOptions, 'files' | 'env'>> = {},
): Promise<Ended> {
  return await inFolder('run', async (folder) => {
    try {
      await writeFiles(folder, files)
      return await toItsEnd([mainFile, ...args], folder, environment(env))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}

/** `treacle run` with a configuration that it must not run with; the usual settings are added. */
export async function runInVain(
  config: string,
  more: Partial<Pick<TreacleOptions, 'files' | 'env'>> = {},
): Promise<Ended> {
  const files = { ...more.files, [configFile]: withUsual(config) }
  return await runTreacle(['run', '--config', configFile], { ...more, files })
}

function toItsEnd(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const options = { cwd, env, timeout: 40_000, killSignal: 'SIGKILL' as const }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr })
    })
  })
}

/** Nothing of ours: a variable of whoever runs the tests is not to change them. */
function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, ...more }
}

function withUsual(config: string): string {
  const missing = usual.filter(([key]) => !new RegExp(`^\\s*${key} =`, 'm').test(config))
  return `${config}\n${missing.map(([key, value]) => `${key} = ${value}\n`).join('')}`
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }
}

function logLines(output: string): LogLine[] {
  return output
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line): LogLine => JSON.parse(line))
}

function ledgersIn(lines: readonly LogLine[]): Ledger[] {
  return lines.map((line) => line as unknown as Ledger)
}
