/**
 * Runs other people's programs for a test: a short one to its end, or a server until it is stopped.
 *
 * A server gets a session of its own (setsid), so that whatever it forks can be found by the number
 * of that session and ended by its own process id, never by its name. It lives in one private folder
 * that goes when it goes, also when the test fails or the test process is told to leave.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sessionMembers, signalAll } from './session.ts'

type Environment = Record<string, string | undefined>

/** How a program ended. `code` is null when the time limit ended it. */
export interface Outcome {
  readonly code: number | null
  /** Standard output and standard error, as they came. */
  readonly output: string
}

export interface RunOptions {
  readonly timeoutMs: number
  readonly input?: string | Buffer
  readonly env?: Environment
  /** The folder to run it in. Default: ours. */
  readonly cwd?: string
}

/** Runs a program to its end. Throws only when it cannot be started at all. */
export async function run(
  command: string,
  args: readonly string[],
  { timeoutMs, input = '', env = process.env, cwd = process.cwd() }: RunOptions,
): Promise<Outcome> {
  const child = spawn(command, args, { env, cwd, timeout: timeoutMs, killSignal: 'SIGKILL' })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  }
  // Something it forked may still hold the pipes of a program that was killed.
  child.on('exit', (_code, signal) => {
    if (signal === null) return
    child.stdout.destroy()
    child.stderr.destroy()
  })
  child.stdin.on('error', () => {}) // it may end before it has read everything
  child.stdin.end(input)
  await once(child, 'close')
  return { code: child.exitCode, output: Buffer.concat(chunks).toString() }
}

/** Asks every 20 ms until the answer is yes. For real processes only: they do not know our clock. */
export async function waitUntil(
  isTrue: () => Promise<boolean>,
  { timeoutMs, what }: { timeoutMs: number; what: () => Promise<string> },
): Promise<void> {
  const limit = AbortSignal.timeout(timeoutMs)
  while (!(await isTrue())) {
    if (limit.aborted) throw new Error(`not within ${timeoutMs} ms: ${await what()}`)
    await sleep(20)
  }
}

export interface DaemonOptions {
  readonly command: string
  /** What keeps it in the foreground must be among them. */
  readonly args: readonly string[]
  readonly env?: Environment
  /** Descriptors of ours that it gets as 3, 4 and so on. */
  readonly descriptors?: readonly number[]
  /** Its private folder, removed when it stops or does not start. */
  readonly folder: string
  /** Where it logs. Default: to standard output and standard error. */
  readonly logFile?: string
  /** What it writes into its log when it is ready to serve. */
  readonly ready: RegExp
  /** Asked for what it may not have logged, when it did not start. */
  readonly complaint?: () => Promise<string>
}

/** Starts a server and waits until it says that it is ready. Throws, with its log, if it does not. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const daemon = new Daemon(options)
  try {
    await waitUntil(async () => daemon.hasExited || options.ready.test(await daemon.log()), {
      timeoutMs: 10_000,
      what: async () => `${options.command} is ready`,
    })
    if (daemon.hasExited) throw new Error(`${options.command} ended at once`)
    return daemon
  } catch (cause) {
    const complaint = (await options.complaint?.()) ?? ''
    await daemon.stop()
    const logged = options.logFile === undefined ? '' : await daemon.log()
    const said = `${logged}${daemon.output}${complaint}`
    throw new Error(`${options.command} did not start:\n${said}`, { cause })
  }
}

/** A server that runs until `stop()`. */
export class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #logFile: string | undefined
  #output = ''
  #hasFailed = false
  #lastLog: string | undefined
  #stopped: Promise<void> | undefined

  constructor(options: DaemonOptions) {
    const { command, args, env = process.env, folder, logFile, descriptors = [] } = options
    this.#folder = folder
    this.#logFile = logFile
    const stdio = ['ignore', 'pipe', 'pipe', ...descriptors] as const
    this.#child = spawn(command, args, { env, cwd: folder, detached: true, stdio: [...stdio] })
    // A test that forgets to stop it must not wait for it either.
    this.#child.unref()
    this.#child.on('error', (error) => {
      this.#hasFailed = true
      this.#output += error.message
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream instanceof Socket) stream.unref()
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString()
      })
    }
    remember(this)
  }

  /** The process id of the server itself; 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** What it has written to standard output and standard error. */
  get output(): string {
    return this.#output
  }

  get hasExited(): boolean {
    return this.#hasFailed || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** The exit code it ended with; null while it runs, and when a signal ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode
  }

  /** The process ids of the server and of everything it has forked, as of now. */
  pids(): readonly number[] {
    return this.pid === 0 ? [] : sessionMembers(this.pid)
  }

  /** All it has logged, also after it has stopped. */
  async log(): Promise<string> {
    if (this.#lastLog !== undefined) return this.#lastLog
    if (this.#logFile === undefined) return this.#output
    return readFile(this.#logFile, 'utf8').catch(() => '') // nothing logged yet
  }

  /** Ends every process of the server and removes its folder. May be called again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const isGone = async () => {
      return this.pids().length === 0
    }
    signalAll(this.pids(), 'SIGTERM')
    const what = async () => `processes ${this.pids()} end`
    await waitUntil(isGone, { timeoutMs: 3_000, what }).catch(async () => {
      signalAll(this.pids(), 'SIGKILL')
      await waitUntil(isGone, { timeoutMs: 3_000, what })
    })
    this.#lastLog = await this.log()
    forget(this)
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** The same at once and without manners, for a test process that is about to leave. */
  kill(): void {
    // The kernel may take a moment to end them, and they may fork or write until then.
    for (let look = 0; look < 100 && this.pids().length > 0; look += 1) {
      signalAll(this.pids(), 'SIGKILL')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

const running = new Set<Daemon>()
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function remember(daemon: Daemon): void {
  if (running.size === 0) {
    process.on('exit', killRunning)
    for (const signal of signals) process.on(signal, leave)
  }
  running.add(daemon)
}

function forget(daemon: Daemon): void {
  running.delete(daemon)
  if (running.size > 0) return
  process.off('exit', killRunning)
  for (const signal of signals) process.off(signal, leave)
}

function killRunning(): void {
  for (const daemon of running) {
    forget(daemon)
    daemon.kill()
  }
}

/** Dies by the signal it was sent, as it would have done without us. */
function leave(signal: NodeJS.Signals): void {
  killRunning()
  process.kill(process.pid, signal)
}
