#!/usr/bin/env node
/** The command line: commands, signals, exit codes. The only user of process. */
import { dirname, join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { App } from './app.ts'
import { checkConfig } from './cli/check.ts'
import { outdatedPages, writeManual } from './cli/manual.ts'
import { formats } from './cli/read-file.ts'
import { InputError } from './cli/read-lines.ts'
import {
  type ExplainFlags,
  explainCommand,
  type ReplayFlags,
  replayCommand,
  type TryFlags,
  tryCommand,
} from './cli/replay-commands.ts'
import { sendOne } from './cli/send.ts'
import { readConfig, shippedFolder } from './config/files.ts'
import type { Config } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import { ConfigError, messageOf } from './core/errors.ts'
import { parseIp } from './core/ip.ts'
import { oneAtATime } from './core/one-at-a-time.ts'
import { startDemo } from './demo.ts'
import { loadModules, type ModuleReason } from './reasons/modules.ts'

/** sysexits.h */
const exit = {
  ...({ ok: 0, failed: 1, usage: 64, noInput: 66 } as const),
  ...({ unavailable: 69, software: 70, config: 78 } as const),
}

const root = join(import.meta.dirname, '..')
const say = (text: string) => process.stdout.write(`${text}\n`)
const complain = (text: string) => process.stderr.write(`${text}\n`)

const outside = { environment: process.env, say, complain }

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
  .command('replay')
  .description(
    'Judge the connections that files tell of, and count: what is found, whom it slows, what it costs. ' +
      'Reads a TSV table, an Exim main log or a Postfix mail log, plain or gzipped; "-" is the input.',
  )
  .argument('<file...>', 'what to read')
  .option('-c, --config <file>', 'the config file to judge by; without it, the defaults')
  .option('--compare <file>', 'another config file: tell what it would change, worst first')
  .option('--live', 'ask the DNS of today instead of believing what the files hold')
  .addOption(
    new Option('--unknown <as>', 'what a name is taken for that was looked up in vain')
      .choices(['unknown', 'none'])
      .default('unknown'),
  )
  .option('--label <label>', 'one label for all, such as "ham", instead of those of the files')
  .addOption(
    new Option('--format <format>', 'do not find out the format by the first lines').choices(
      formats,
    ),
  )
  .option('--show <count>', 'how many clients of a comparison to list', wholeNumber, 20)
  .option('--json', 'print one JSON document instead (docs/replay.md)')
  .action((files: string[], flags: ReplayFlags) => replayCommand(files, flags, outside))

program
  .command('try')
  .description(
    'Play one connection through and print what would be found and what it comes to. ' +
      'Nothing is sent and nobody waits.',
  )
  .requiredOption('--ip <address>', 'the address of the client', address)
  .option('--helo <name>', 'what it says in HELO or EHLO', '')
  .option('--from <address>', 'what it says in MAIL; "" for the null sender')
  .option('--to <address...>', 'what it says in RCPT, once or more')
  .option('--ptr <name>', 'the name of the address, instead of asking the DNS; "" for none')
  .option('--unconfirmed', 'the name given by --ptr does not lead back to the address')
  .option('--offline', 'ask nobody: what is not told is unavailable')
  .option('-c, --config <file>', 'the config file to judge by; without it, the defaults')
  .option('--json', 'print one JSON document instead (docs/replay.md)')
  .action((flags: TryFlags) => tryCommand(flags, outside))

program
  .command('explain')
  .description(
    "Say why clients were kept waiting, from Treacle's JSON log or a main log in Exim's form.",
  )
  .argument('[file]', 'the log, plain or gzipped; "-" is the input', '-')
  .option('--id <id>', 'only the connection of this id')
  .option('--client <address>', 'only the connections of this client')
  .option('-c, --config <file>', 'the config file that a main log is explained by')
  .action(async (file: string, flags: ExplainFlags) => {
    process.exitCode = (await explainCommand(file, flags, outside)) ? exit.ok : exit.failed
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
  const config = read()
  const modules = await modulesOf(config, file)
  const app = new App({ config, file: file ?? '', folder: folderOf(file), modules })
  handleSignals(app, () => reload(app, read, file))
  await app.start()
}

async function check({ config: file }: ConfigFlag): Promise<void> {
  await checkConfig(file, process.env)
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

async function reload(app: App, read: () => Config, file: string | undefined): Promise<void> {
  try {
    const config = read()
    await app.reload(config, await modulesOf(config, file))
    app.log.event('config.reloaded', { file: file ?? '(no config file)' })
  } catch (error) {
    app.log.event('config.rejected', { why: messageOf(error) })
  }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.')
  return Number(text)
}

/** @throws ConfigError */
function modulesOf({ reasons }: Config, file: string | undefined): Promise<ModuleReason[]> {
  return loadModules(reasons.modules, folderOf(file), systemClock)
}

function address(text: string): string {
  if (parseIp(text) !== null) return text
  throw new InvalidArgumentError('Expected an address such as 192.0.2.1 or 2001:db8::1.')
}

function folderOf(file: string | undefined): string {
  return file === undefined ? shippedFolder : dirname(file)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exit.config
  if (error instanceof InputError) return exit.noInput
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage
  return error instanceof Error && 'syscall' in error ? exit.unavailable : exit.software
}
