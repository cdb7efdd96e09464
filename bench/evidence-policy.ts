/** A configuration as a judge of recorded connections, without DNS. */

import type { Recorded } from '../src/cli/read-record.ts'
import { ListFiles, shippedFolder } from '../src/config/files.ts'
import { makeJudging } from '../src/config/judging.ts'
import { parseConfig } from '../src/config/load.ts'
import { configSchema } from '../src/config/schema.ts'
import { systemClock } from '../src/core/clock.ts'
import { Log } from '../src/observe/log.ts'
import { judge } from '../src/session/judge.ts'

/** What came of one connection. */
export interface Verdict {
  /** Names of what was found, excuses included. */
  readonly found: readonly string[]
  readonly delayed: boolean
  readonly whole: boolean
}

export type Policy = (recorded: Recorded) => Promise<Verdict>

/** A policy says the same of a client that comes again; only what the reasons look at counts. */
export function remembering(policy: Policy): Policy {
  const known = new Map<string, Promise<Verdict>>()
  return (recorded) => {
    const { ip, name, nameState, helo, sender } = recorded
    const key = [ip.text, name, nameState, helo, sender].join('\n')
    const verdict = known.get(key) ?? policy(recorded)
    known.set(key, verdict)
    return verdict
  }
}

/** @param toml The settings that differ from the defaults. */
export async function makePolicy(toml: string): Promise<Policy> {
  const config = parseConfig(configSchema, toml, 'evidence')
  const log = new Log(systemClock, { level: 'silent', format: 'json' })
  const judging = makeJudging(config, {
    files: new ListFiles(shippedFolder),
    clock: systemClock,
    log,
  })
  return async (recorded) => {
    const { findings, sum, fraction } = await judge({ ...recorded, recipient: null }, judging)
    const found = findings.map(({ reason }) => reason)
    return { found: [...new Set(found)], delayed: sum > 0, whole: fraction >= 1 }
  }
}
