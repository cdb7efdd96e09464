/** The reasons that the operator has brought along: DNS lists, reasons of the config file, modules. */
import { z } from 'zod'
import { ConfigError, messageOf } from '../core/errors.ts'
import type { Stage } from '../core/ledger.ts'
import { type ListOptions, listReasons } from './dns-lists.ts'
import type { ModuleReason } from './modules.ts'
import { ownReason, ownReasons } from './own-reason.ts'
import { prepare } from './prepare.ts'
import type { AnyReason, ReasonDefinition, ReasonOptions, Shared } from './reason.ts'

/** [[reason]]: those that are written in the config file. */
export const ownReasonsOptions = z.array(ownReason).default([])

/** What the operator has brought along. */
export interface Brought {
  readonly own: z.infer<typeof ownReasonsOptions>
  readonly modules: readonly ModuleReason[]
}

export interface BroughtOptions {
  readonly lists: Readonly<Record<string, ListOptions>>
  readonly settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/**
 * @param taken Names that are given away.
 * @throws ConfigError when two have one name, or one cannot be made ready.
 */
export function broughtReasons(
  taken: readonly string[],
  { lists, settings }: BroughtOptions,
  shared: Shared,
  { own, modules }: Brought,
): AnyReason[] {
  refuseDuplicates([
    ...[...taken, ...Object.keys(lists)],
    ...[...own, ...modules].map(({ name }) => name),
  ])
  return [
    ...Object.entries(lists).flatMap(([name, list]) => listReasons(name, list, shared.openList)),
    ...own.flatMap(ownReasons),
    ...modules.flatMap((definition) => ofModule(definition, settings, shared)),
  ]
}

function refuseDuplicates(names: readonly string[]): void {
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  if (twice.length === 0) return
  const what = `there is more than one reason called ${twice.join(', ')}; give each its own name`
  throw new ConfigError([{ where: '', key: 'reasons', what }])
}

/** @throws ConfigError when its settings are wrong or it cannot be made ready. */
function ofModule(
  definition: ModuleReason,
  settings: BroughtOptions['settings'],
  shared: Shared,
): AnyReason[] {
  const { name, options: table } = definition
  const parsed = table.safeParse(settings[name] ?? {})
  const key = `reasons.settings.${name}`
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      where: '',
      key: [key, ...path].join('.'),
      what: message,
    }))
    throw new ConfigError(problems)
  }
  try {
    return prepare<Stage, z.ZodType<ReasonOptions>>(
      definition as ReasonDefinition,
      parsed.data,
      shared,
    ) as AnyReason[]
  } catch (error) {
    throw new ConfigError([{ where: '', key, what: messageOf(error) }])
  }
}
