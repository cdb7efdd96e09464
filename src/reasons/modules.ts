/**
 * Reasons that the operator writes in TypeScript: reasons.modules = ["./my-reason.ts"].
 *
 * A module exports a function that is given the kit and returns a definition, or several, like those
 * of this folder. It runs with our rights and in our one thread: it is code, not data. What it throws
 * is caught and what takes too long is given up, but a loop without an end is one for us all.
 */
import { statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { Clock, Ms } from '../core/clock.ts'
import { ConfigError, messageOf } from '../core/errors.ts'
import { parsePattern } from '../core/pattern.ts'
import { defineReason, type ReasonDefinition, type ReasonOptions, reasonOptions } from './reason.ts'

/** What a module may use, so that it need not know where we are installed. */
export const kit = { defineReason, reasonOptions, parsePattern, z } as const

export type Kit = typeof kit

/** A definition of any stage, with options of any kind. */
export type ModuleReason = {
  readonly [S in ReasonDefinition['stage']]: ReasonDefinition<S, z.ZodType<ReasonOptions>>
}[ReasonDefinition['stage']]

/** A module that has not been loaded after this long has something that never ends. */
const loadMs: Ms = 10_000

/**
 * Loads the modules, in their order.
 *
 * @param folder Where relative paths begin.
 * @throws ConfigError that names the module.
 */
export async function loadModules(
  files: readonly string[],
  folder: string,
  clock: Clock,
): Promise<ModuleReason[]> {
  const loaded: ModuleReason[] = []
  for (const file of files) loaded.push(...(await loadModule(file, folder, clock)))
  return loaded
}

async function loadModule(file: string, folder: string, clock: Clock): Promise<ModuleReason[]> {
  const path = isAbsolute(file) ? file : join(folder, file)
  const late = Promise.withResolvers<never>()
  const stopTimer = clock.after(loadMs, () => late.reject(new Error('loading it does not end')))
  try {
    // A changed file is another module; without this a reload would bring the old one.
    const url = `${pathToFileURL(path).href}?at=${statSync(path).mtimeMs}`
    const module: unknown = await Promise.race([import(url), late.promise])
    return definitionsIn(module)
  } catch (error) {
    throw new ConfigError([{ where: path, key: 'reasons.modules', what: messageOf(error) }])
  } finally {
    stopTimer()
  }
}

function definitionsIn(module: unknown): ModuleReason[] {
  const make = hasDefault(module) ? module.default : undefined
  if (typeof make !== 'function') {
    throw new Error('expected a function as default export, which is given the kit')
  }
  const made: unknown = make(kit)
  const list: readonly unknown[] = Array.isArray(made) ? made : [made]
  return list.map((one) => {
    if (!isDefinition(one)) throw new Error('expected what defineReason returns, or a list of that')
    return one
  })
}

function hasDefault(module: unknown): module is { readonly default: unknown } {
  return typeof module === 'object' && module !== null && 'default' in module
}

const stages = ['connect', 'greeting', 'helo', 'mail', 'rcpt']

function isDefinition(made: unknown): made is ModuleReason {
  return (
    typeof made === 'object' &&
    made !== null &&
    'name' in made &&
    typeof made.name === 'string' &&
    /^[a-z0-9][a-z0-9-]{0,63}$/.test(made.name) &&
    'stage' in made &&
    stages.includes(String(made.stage)) &&
    'options' in made &&
    made.options instanceof z.ZodType &&
    'prepare' in made &&
    typeof made.prepare === 'function'
  )
}
