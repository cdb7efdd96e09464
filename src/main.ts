#!/usr/bin/env node
/** The command line: commands, signals, exit codes. The only user of process. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readToken } from './admin/token.ts'
import { App } from './app.ts'
import { checkConfig } from './cli/check.ts'
import { completion } from './cli/completion.ts'
import { askHealth } from './cli/health.ts'
import { outdatedPages, writeManual } from './cli/manual.ts'
import { type ConfigFlag, type HealthFlags, programOf, usageOutcome } from './cli/program.ts'
import { InputError } from './cli/read-lines.ts'
import { explainCommand, replayCommand, tryCommand } from './cli/replay-commands.ts'
import { sendOne } from './cli/send.ts'
import { readConfig, shippedFolder } from './config/files.ts'
import type { Config } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import { ConfigError, messageOf } from './core/errors.ts'
import { collectYoungAlone } from './core/memory.ts'
import { oneAtATime } from './core/one-at-a-time.ts'
import { startDemo } from './demo.ts'
import { inheritedSockets } from './gate/inherited.ts'
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

const program = programOf(versionOf(root), {
  run,
  check,
  health,
  demo,
  completion: (shell, of) => say(completion(of, shell).trimEnd()),
  async send(sending) {
    process.exitCode = (await sendOne(sending, systemClock, say)) ? exit.ok : exit.failed
  },
  replay: (files, flags) => replayCommand(files, flags, outside),
  try: (flags) => tryCommand(flags, outside),
  async explain(file, flags) {
    process.exitCode = (await explainCommand(file, flags, outside)) ? exit.ok : exit.failed
  },
  manual(checkOnly, of) {
    if (!checkOnly) return writeManual(root, of)
    for (const path of outdatedPages(root, of)) {
      complain(`${path} is not up to date; run "npm run manual"`)
      process.exitCode = exit.failed
    }
  },
})

await main()

async function main(): Promise<void> {
  try {
    await program.parseAsync(process.argv)
  } catch (error) {
    process.exitCode = exitCodeOf(error)
    if (usageOutcome(error) === null) complain(messageOf(error))
  }
}

async function run({ config: flag }: ConfigFlag): Promise<void> {
  collectYoungAlone()
  const file = configFile(flag)
  const read = () => readConfig(file ?? null, process.env)
  const config = read()
  const modules = await modulesOf(config, file)
  const app = new App({ config, file: file ?? '', folder: folderOf(file), modules })
  handleSignals(app, () => reload(app, read, file))
  await app.start(inheritedSockets(process.env, process.pid))
}

async function health({ config: flag, live = false, json = false }: HealthFlags): Promise<void> {
  const { admin } = readConfig(configFile(flag) ?? null, process.env)
  const isWell = await askHealth({ admin, token: readToken(admin), liveOnly: live, json }, say)
  process.exitCode = isWell ? exit.ok : exit.failed
}

async function check({ config: flag }: ConfigFlag): Promise<void> {
  const file = configFile(flag)
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

/** @throws ConfigError */
function modulesOf({ reasons }: Config, file: string | undefined): Promise<ModuleReason[]> {
  return loadModules(reasons.modules, folderOf(file), systemClock)
}

/** --config, or else what the image and the service unit say. */
function configFile(flag: string | undefined): string | undefined {
  return flag ?? (process.env.TREACLE_CONFIG || undefined)
}

function versionOf(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const named = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return named ? String(manifest.version) : 'unknown'
}

function folderOf(file: string | undefined): string {
  return file === undefined ? shippedFolder : dirname(file)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exit.config
  if (error instanceof InputError) return exit.noInput
  const usage = usageOutcome(error)
  if (usage !== null) return usage === 'help' ? exit.ok : exit.usage
  return error instanceof Error && 'syscall' in error ? exit.unavailable : exit.software
}
