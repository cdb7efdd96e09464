#!/usr/bin/env node
/** The command line: commands, signals, exit codes. The only user of process. */
import { dirname, join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { App } from './app.ts'
import { outdatedPages, writeManual } from './cli/manual.ts'
import { sendOne } from './cli/send.ts'
import { ListFiles, readConfig, shippedFolder } from './config/files.ts'
import type { Config } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import { ConfigError, messageOf } from './core/errors.ts'
import { startDemo } from './demo.ts'

/** sysexits.h */
const exit = { ok: 0, failed: 1, usage: 64, unavailable: 69, software: 70, config: 78 } as const

const root = join(import.meta.dirname, '..')
const say = (text: string) => process.stdout.write(`${text}\n`)
const complain = (text: string) => process.stderr.write(`${text}\n`)

/** SIGINTs closer together than this are one. */
const sameSignalMs = 500

interface ConfigFlag {
  readonly config?: string
}

const program = new Command('treacle')
  .description(
    'A tarpitting SMTP front-end proxy: everybody is served, suspicious clients more slowly.',
  )
  .exitOverride()

program
  .command('run')
  .description(
    'Serve, with the settings of a config file. SIGTERM stops, SIGHUP reads the file again.',
  )
  .option('-c, --config <file>', 'the config file; without it, the defaults and the environment')
  .action(run)

program
  .command('check')
  .description('Read the config file and the files it names, and say what is wrong with them.')
  .option('-c, --config <file>', 'the config file')
  .action(check)

program
  .command('demo')
  .description('Serve on 127.0.0.1:2525 with a built-in back end and short delays, to try it out.')
  .option('--folder <folder>', 'where mail and state go', 'var')
  .action(demo)

program
  .command('send')
  .description('Send one small message and print the dialogue, with the time each reply took.')
  .option('--to <host:port>', 'the server', '127.0.0.1:2525')
  .option('--helo <name>', 'what to say in EHLO', 'mail.example.org')
  .option('--from <address>', 'the sender', 'alice@example.org')
  .option('--rcpt <address>', 'the recipient', 'bob@example.net')
  .action(async (options: { to: string; helo: string; from: string; rcpt: string }) => {
    process.exitCode = (await sendOne(options, systemClock, say)) ? exit.ok : exit.failed
  })

program
  .command('manual')
  .description(
    'Write conf/treacle.toml and docs/manual.md from what the settings say of themselves.',
  )
  .option('--check', 'write nothing; fail when they are not up to date')
  .action(({ check: only }: { check?: boolean }) => {
    if (only !== true) return writeManual(root)
    for (const path of outdatedPages(root)) {
      complain(`${path} is not up to date; run "npm run manual"`)
      process.exitCode = exit.failed
    }
  })

await main()

async function main(): Promise<void> {
  try {
    await program.parseAsync(process.argv)
  } catch (error) {
    process.exitCode = exitCodeOf(error)
    if (!(error instanceof CommanderError)) complain(messageOf(error))
  }
}

async function run({ config: file }: ConfigFlag): Promise<void> {
  const read = () => readConfig(file ?? null, process.env)
  const app = new App({ config: read(), file: file ?? '', folder: folderOf(file) })
  handleSignals(app, () => reload(app, read, file ?? '(no config file)'))
  await app.start()
}

function check({ config: file }: ConfigFlag): void {
  const config = readConfig(file ?? null, process.env)
  checkLists(config, new ListFiles(folderOf(file)))
  say(`${file ?? 'The defaults'}: fine`)
}

async function demo({ folder }: { folder: string }): Promise<void> {
  const { app, close } = await startDemo(folder, say)
  handleSignals(app, async () => {}, close)
}

/** Two steps: the first signal finishes what is under way, a second one does not. */
function handleSignals(app: App, onHangUp: () => Promise<void>, onStopped = () => {}): void {
  let stoppingSince: number | null = null
  const stop = (signal: NodeJS.Signals) => {
    const now = systemClock.now()
    // A terminal and npm both pass on one Ctrl-C; that makes no second signal of it.
    const echo = signal === 'SIGINT' && now - (stoppingSince ?? now) < sameSignalMs
    if (stoppingSince !== null && echo) return
    if (stoppingSince !== null) process.exit(exit.failed)
    stoppingSince = now
    app.stop().then(onStopped, (error: unknown) => {
      app.log.fault('stop', error)
      process.exit(exit.software)
    })
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', oneAtATime(onHangUp))
  process.on('uncaughtException', (error) => app.log.fault('uncaught', error))
  process.on('unhandledRejection', (error) => app.log.fault('unhandled rejection', error))
}

/** Runs `work` at each call, never twice at once: calls that come meanwhile become one more run. */
function oneAtATime(work: () => Promise<void>): () => void {
  let running = false
  let again = false
  const run = async () => {
    running = true
    do {
      again = false
      await work()
    } while (again)
    running = false
  }
  return () => {
    again = true
    if (!running) void run()
  }
}

async function reload(app: App, read: () => Config, file: string): Promise<void> {
  try {
    await app.reload(read())
    app.log.event('config.reloaded', { file })
  } catch (error) {
    app.log.event('config.rejected', { why: messageOf(error) })
  }
}

/** Reads every list that the configuration names. @throws ConfigError with all that is wrong. */
function checkLists({ gate, reasons }: Config, files: ListFiles): void {
  files.hosts(gate.known_good, 'gate.known_good')
  files.hosts(reasons.screened, 'reasons.screened')
  files.hosts(reasons.helo_accept_junk_hosts, 'reasons.helo_accept_junk_hosts')
  files.names(reasons['helo-no-jive'].names, 'reasons["helo-no-jive"].names')
  files.mustBeFine()
}

function folderOf(file: string | undefined): string {
  return file === undefined ? shippedFolder : dirname(file)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exit.config
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage
  return error instanceof Error && 'syscall' in error ? exit.unavailable : exit.software
}
