/** The commands that judge what was or might be: replay, try, explain. What main.ts has them do. */
import { dirname } from 'node:path'
import type { Environment } from '../config/environment.ts'
import { readConfig, shippedFolder } from '../config/files.ts'
import { systemClock } from '../core/clock.ts'
import { visible } from '../core/text.ts'
import { loadModules } from '../reasons/modules.ts'
import { explain } from './explain.ts'
import type { Format } from './read-file.ts'
import { offlineJudge, replay, type Settings } from './replay.ts'
import { replayText } from './replay-text.ts'
import { trialText, tryOne } from './try.ts'

/** The world outside, as a command sees it. */
export interface Outside {
  readonly environment: Environment
  readonly say: (text: string) => void
  readonly complain: (text: string) => void
}

export interface ReplayFlags {
  readonly config?: string
  readonly compare?: string
  readonly live?: boolean
  readonly unknown: 'unknown' | 'none'
  readonly label?: string
  readonly format?: Format
  readonly show: number
  readonly json?: boolean
}

export async function replayCommand(
  files: readonly string[],
  flags: ReplayFlags,
  { environment, say }: Outside,
): Promise<void> {
  const { compare, live = false, unknown: unknownAs, label = null, format = null } = flags
  const settings = await settingsOf(flags.config, environment)
  const other = compare === undefined ? null : await settingsOf(compare, environment)
  const setup = { files, format, settings, other, live, unknownAs, label }
  const document = await replay(setup, systemClock)
  if (flags.json === true) say(JSON.stringify(document, null, 2))
  else say(replayText(document, { shown: flags.show }).join('\n'))
}

export interface TryFlags {
  readonly config?: string
  readonly ip: string
  readonly helo: string
  readonly from?: string
  readonly to?: readonly string[]
  readonly ptr?: string
  readonly unconfirmed?: boolean
  readonly offline?: boolean
  readonly json?: boolean
}

export async function tryCommand(flags: TryFlags, { environment, say }: Outside): Promise<void> {
  const { ip, helo, from = null, to = [], ptr = null, unconfirmed = false, offline = false } = flags
  const settings = await settingsOf(flags.config, environment)
  const trial = { ip, helo, from, to, ptr, unconfirmed, offline, settings }
  const report = await tryOne(trial, systemClock)
  say(flags.json === true ? JSON.stringify(report, null, 2) : trialText(report).join('\n'))
}

export interface ExplainFlags {
  readonly config?: string
  readonly id?: string
  readonly client?: string
}

/** @returns false when nothing was found to explain. */
export async function explainCommand(
  file: string,
  flags: ExplainFlags,
  { environment, say, complain }: Outside,
): Promise<boolean> {
  const { config, id = null, client = null } = flags
  const judge = offlineJudge(await settingsOf(config, environment), systemClock)
  const found = await explain({ file, id, client }, judge, say)
  const { connectionCount, otherCount, lineCount, bad } = found
  for (const { line, expected } of bad) {
    complain(visible(`${file}: line ${line}: expected ${expected}`))
  }
  if (connectionCount > 0) return true
  if (otherCount > 0) {
    complain(visible(`${file}: no connection of ${id ?? client}, only of others (${otherCount})`))
    return false
  }
  complain(
    `${file}: nothing to explain in ${lineCount} lines. Expected lines of Treacle's JSON log with ` +
      '"event":"connection" (written with log.level = "info"), or of its main log (log.mainlog)',
  )
  return false
}

async function settingsOf(file: string | undefined, environment: Environment): Promise<Settings> {
  const config = readConfig(file ?? null, environment)
  const folder = file === undefined ? shippedFolder : dirname(file)
  const modules = await loadModules(config.reasons.modules, folder, systemClock)
  return { config, file: file ?? null, folder, modules }
}
