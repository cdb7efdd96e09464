/**
 * Turns the text of the config file into a complete, frozen config, or into a list of everything
 * that is wrong with it: where, which setting, and what was expected, in an operator's words.
 *
 * Works for any schema. The words for what a setting expects are those of the manual. Reads no
 * file and no environment; `main` brings both.
 */
import type { z } from 'zod'
import { ConfigError, type Problem } from '../core/errors.ts'
import { nearest, type Override } from './environment.ts'
import { keyText, locator } from './locate.ts'
import { expects, type Shape, shapeOf } from './manual.ts'
import { readToml, TomlFault, type TomlTable } from './toml.ts'

/** What is wrong at a path, before anybody looks up the line. */
interface Fault {
  readonly path: readonly PropertyKey[]
  readonly what: string
}

/** A value of the file next to what the schema says about it. */
interface Spot {
  readonly shape: Shape | undefined
  readonly value: unknown
}

/**
 * Checks `text` against `schema`.
 *
 * @param file The name by which to report faults.
 * @param overrides Values that win over the file's; the last one wins.
 * @param strange Problems that the caller found on the way here, reported along with ours.
 * @returns The config with every default filled in, frozen all the way down.
 * @throws ConfigError with everything that is wrong: first the file's, in its order, then the
 *   environment's. While the file is no TOML, nothing else in it can be judged.
 */
export function parseConfig<S extends z.ZodObject>(
  schema: S,
  text: string,
  file: string,
  overrides: readonly Override[] = [],
  strange: readonly Problem[] = [],
): z.infer<S> {
  const document = parseToml(text, file, strange)
  for (const override of overrides) apply(override, document)

  const result = schema.safeParse(document)
  const faults = result.success ? [] : faultsIn(result.error.issues, schema, document)
  const problems = [...problemsOf(faults, { text, file, overrides }), ...strange]
  if (!result.success || problems.length > 0) throw new ConfigError(problems)
  return deepFreeze(result.data)
}

function parseToml(text: string, file: string, strange: readonly Problem[]): TomlTable {
  try {
    return readToml(text)
  } catch (error) {
    if (!(error instanceof TomlFault)) throw error
    const fault = { where: `${file}:${error.line}`, key: '', what: error.message }
    throw new ConfigError([fault, ...strange])
  }
}

/** Leaves the file alone where it has a value in place of the table; that is reported later. */
function apply({ path, value }: Override, document: TomlTable): void {
  const [key, ...tables] = path.toReversed()
  let table: Record<string, unknown> = document
  for (const name of tables.toReversed()) {
    table[name] ??= {}
    const inner = table[name]
    if (!isTable(inner)) return
    table = inner
  }
  if (key !== undefined) table[key] = value
}

function problemsOf(
  faults: readonly Fault[],
  source: { text: string; file: string; overrides: readonly Override[] },
): Problem[] {
  const locate = locator(source.text)
  // Two checks of one setting may have the same words.
  const distinct = new Map(faults.map((fault) => [keyText(fault.path) + fault.what, fault]))
  return [...distinct.values()]
    .map(({ path, what }) => {
      const override = source.overrides.findLast((one) => startsWith(path, one.path))
      const line = override === undefined ? locate(path) : Number.POSITIVE_INFINITY
      const where = override?.variable ?? `${source.file}:${line}`
      return { line, problem: { where, key: keyText(path), what } }
    })
    .sort((a, b) => (a.line === b.line ? 0 : a.line - b.line))
    .map(({ problem }) => problem)
}

function faultsIn(
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodObject,
  document: TomlTable,
): Fault[] {
  const root = { shape: shapeOf(schema), value: document }
  return issues
    .filter((issue) => issue.code !== 'custom' || !issues.some((other) => isInside(other, issue)))
    .flatMap((issue) => faultsOf(issue, root))
}

/** A check on a whole list or table says nothing new when something inside it is wrong. */
function isInside(inner: z.core.$ZodIssue, outer: z.core.$ZodIssue): boolean {
  return inner.path.length > outer.path.length && startsWith(inner.path, outer.path)
}

/** The faults of one issue of zod's, which are several for unknown keys and inside unions. */
function faultsOf(issue: z.core.$ZodIssue, from: Spot): Fault[] {
  const { path } = issue
  const spot = path.reduce(step, from)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      what: unknownText(key, keysIn(spot.shape), homesOf(key, from.shape)),
    }))
  }
  const inside = issue.code === 'invalid_union' ? faultsOfChoice(issue.errors, spot) : []
  if (inside.length > 0) return inside.map((one) => ({ ...one, path: [...path, ...one.path] }))
  return [{ path, what: wrongText(issue, spot) }]
}

/** The faults inside the one form of a union that the value was clearly meant to have, if any. */
function faultsOfChoice(errors: readonly z.core.$ZodIssue[][], spot: Spot): Fault[] {
  const forms = formsOf(spot.shape)
  const meant = [...errors.entries()].filter(([, issues]) =>
    issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
  )
  if (meant.length !== 1) return []
  return meant.flatMap(([index, issues]) =>
    issues.flatMap((issue) => faultsOf(issue, { shape: forms[index], value: spot.value })),
  )
}

function step({ shape, value }: Spot, key: PropertyKey): Spot {
  const holds = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
  return { shape: partOf(shape, key), value: holds ? Reflect.get(value, key) : undefined }
}

/** What is said about `key` of a table or list; of a union, by each of its forms. */
function partOf(shape: Shape | undefined, key: PropertyKey): Shape | undefined {
  if (shape === undefined) return undefined
  const { properties = {}, additionalProperties, prefixItems, items } = shape
  const forms = formsOf(shape).flatMap((form) => partOf(form, key) ?? [])
  if (forms.length > 0) return { anyOf: forms }
  if (typeof key === 'number') return prefixItems?.[key] ?? (items || undefined)
  const name = String(key)
  return Object.hasOwn(properties, name) ? properties[name] : additionalProperties || undefined
}

function formsOf(shape: Shape | undefined): readonly Shape[] {
  return shape?.anyOf ?? shape?.oneOf ?? []
}

function keysIn(shape: Shape | undefined): string[] {
  const ofForms = formsOf(shape).flatMap(keysIn)
  return [...new Set([...Object.keys(shape?.properties ?? {}), ...ofForms])]
}

function unknownText(key: string, known: readonly string[], homes: readonly string[]): string {
  const near = nearest(key, known)
  if (near !== undefined) return `unknown setting; did you mean ${JSON.stringify(near)}?`
  const [home, ...others] = homes
  if (home !== undefined && others.length === 0)
    return `unknown setting here; did you mean ${home}?`
  return known.length === 0 ? 'unknown setting' : `unknown setting; known here: ${known.join(', ')}`
}

/** Where else in the file there is a setting of this name; the wrong table is an easy slip. */
function homesOf(key: string, shape: Shape | undefined, path: readonly string[] = []): string[] {
  return Object.entries(shape?.properties ?? {}).flatMap(([name, part]) => {
    const inside = homesOf(key, part, [...path, name])
    return name === key ? [keyText([...path, name]), ...inside] : inside
  })
}

function wrongText(issue: z.core.$ZodIssue, { shape, value }: Spot): string {
  if (issue.code === 'invalid_key') {
    const reason = issue.issues.map(({ message }) => message).join('; ')
    return `${shown(issue.path.at(-1))} is wrong as a name: ${reason}`
  }
  const expected =
    ownWords(issue) ?? `expected ${shape === undefined ? 'something else' : expects(shape)}`
  if (value === undefined) return `missing: ${expected}`
  if (!expected.startsWith('expected ')) return expected
  if (issue.code === 'custom' && isTable(value)) return expected
  const otherKind = issue.code === 'invalid_type' || value === null || isTable(value)
  if (otherKind) return `${expected}, found ${kindOf(value)}`
  const near = typeof value === 'string' ? nearest(value, choicesOf(shape)) : undefined
  const hint = near === undefined ? '' : `did you mean ${JSON.stringify(near)}? `
  return `${shown(value)} is wrong: ${hint}${expected}`
}

/** The message that the author of the schema wrote, as opposed to zod's own. */
function ownWords({ message }: z.core.$ZodIssue): string | undefined {
  return /^(?:Invalid|Too (?:big|small)|Unrecognized)\b/.test(message) ? undefined : message
}

function choicesOf(shape: Shape | undefined): string[] {
  const here = [...(shape?.enum ?? []), shape?.const].filter((choice) => typeof choice === 'string')
  return [...here, ...formsOf(shape).flatMap(choicesOf)]
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : String(value)
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return 'a list'
  return value === null ? 'a date' : 'a table'
}

function startsWith(path: readonly PropertyKey[], start: readonly PropertyKey[]): boolean {
  return start.every((key, index) => path[index] === key)
}

function isTable(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** Freezes tables and lists. What else a schema makes of a setting looks after itself. */
function deepFreeze<T>(value: T): T {
  if (!Array.isArray(value) && !isTable(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
