/**
 * The settings in words: what each expects, a TOML file with all of them, and the manual.
 *
 * Everything is read from the schema, so no text can drift from the program. Checks whose message
 * begins with "expected" lend their words; `.meta({ expects: 'a host name' })` does where no check
 * has any, and `.meta({ example })` shows a use. In the TOML file `# text` is prose, `#key = value`
 * a setting at its default, and `#: key = value` an example, which would change what the file means.
 */
import { z } from 'zod'
import { environmentRules, type Variable } from './environment.ts'
import { keyText, tomlKey, tomlValue } from './locate.ts'

type Bound = 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum' | 'multipleOf'
type Count = 'minLength' | 'maxLength' | 'minItems' | 'maxItems'

/** What JSON Schema says about a setting or a table, as far as we use it. */
export interface Shape extends Readonly<Partial<Record<Bound | Count, number>>> {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly example?: unknown
  readonly expects?: string | readonly string[]
  readonly pattern?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly additionalProperties?: Shape | false
  readonly items?: Shape | false
  readonly prefixItems?: readonly Shape[]
}

/** A table of the file with the settings that stand directly in it. */
interface Section {
  readonly path: readonly string[]
  readonly description: string
  /** Opening this table changes what the file means; what it holds is given in `example`. */
  readonly marked: boolean
  readonly example: Readonly<Record<string, unknown>>
  readonly settings: readonly (readonly [key: string, shape: Shape])[]
}

const preamble = `\
# Every setting of Treacle, at its default. An empty file means the same.
#
# To change a setting, remove the "#" before its name and leave the [table] above it. Lines with
# "#:" are examples; without the "#:" they count. (Written by "treacle manual"; see docs/manual.md.)`

const intro = `\
# Settings

One TOML file; all of it is optional. Treacle checks it before it does anything else, and reports
everything that it does not know or cannot use with file, line and key.`

const anyNumber = 'Any number of tables, each with a name of your choice.'
/** Not worth a line in the TOML file, where the default says as much. */
const selfEvident = ['text', 'true or false', 'a list of texts']

/** The schema as the file sees it: texts before they become values, and checks' own words. */
export function shapeOf(schema: z.ZodType): Shape {
  const options = { io: 'input', unrepresentable: 'any', override: addWords } as const
  return z.toJSONSchema(schema, options) as Shape
}

type Override = NonNullable<z.core.ToJSONSchemaParams['override']>

function addWords({ zodSchema, jsonSchema, path }: Parameters<Override>[0]): void {
  const { def } = zodSchema._zod
  if (def.type === 'default' && jsonSchema.default === undefined) {
    throw new Error(`${path.join('.')}: a default for what a transform makes; use prefault()`)
  }
  const issue: z.core.$ZodRawIssue = { code: 'custom', input: undefined, path: [] }
  const words = [def, ...(def.checks ?? []).map((check) => check._zod.def)]
    .map(({ error }) => (error as z.core.$ZodErrorMap | undefined)?.(issue) ?? '')
    .map((message) => (typeof message === 'string' ? message : message.message))
    .flatMap((message) => /^expected ([\s\S]*)/.exec(message)?.[1] ?? [])
  const all = [...new Set([jsonSchema.expects ?? [], words].flat())]
  if (all.length > 0) jsonSchema.expects = all
}

/** What a setting expects, to be read after the word "expected". `brief` leaves out examples. */
export function expects(shape: Shape, brief = false): string {
  const own = [shape.expects ?? []].flat()
  const words = brief ? own.map((one) => one.replace(/ such as .*/, '')) : own
  // The words of a check on a text say all about it; on other values they add to it.
  const complete = shape.type === 'string' && words.length > 0
  return (complete ? words : [kindText(shape, brief), ...words]).join('; ')
}

function kindText(shape: Shape, brief: boolean): string {
  const forms = shape.anyOf ?? shape.oneOf
  if (forms) return [...new Set(forms.map((form) => expects(form, brief)))].join(' or ')
  const choices = shape.const === undefined ? shape.enum : [shape.const]
  if (choices !== undefined) {
    return (choices.length > 1 ? 'one of ' : '') + choices.map(tomlValue).join(', ')
  }
  if (shape.type === 'integer') return `a whole number${rangeText(shape)}`
  if (shape.type === 'number') return `a number${rangeText(shape)}`
  if (shape.type === 'boolean') return 'true or false'
  if (shape.type === 'array') return listText(shape, brief)
  if (shape.type === 'object') return 'a table'
  return textText(shape)
}

function rangeText(shape: Shape): string {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf } = shape
  const least = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  const both = least !== undefined && most !== undefined
  const limits = [
    above === undefined ? [] : `above ${above}`,
    both ? `from ${least} to ${most}` : least === undefined ? [] : `of at least ${least}`,
    both || most === undefined ? [] : `of at most ${most}`,
    below === undefined ? [] : `below ${below}`,
  ].flat()
  const multiple = multipleOf === undefined ? '' : `, a multiple of ${multipleOf}`
  return (limits.length > 0 ? ` ${limits.join(' and ')}` : '') + multiple
}

function listText({ items, prefixItems = [], minItems, maxItems }: Shape, brief: boolean): string {
  const fixed = [...new Set(prefixItems.map((item) => expects(item, brief)))]
  if (fixed.length === 1) return `a list of ${prefixItems.length}, each ${fixed[0]}`
  if (fixed.length > 1) return `a list of ${prefixItems.length}: ${fixed.join(', then ')}`
  const [item, count] = [expects(items || {}, brief), countText(minItems, maxItems)]
  if (count === '') return item === 'text' ? 'a list of texts' : `a list, each ${item}`
  return `a list of ${count}, each ${item}`
}

function textText({ pattern, minLength, maxLength }: Shape): string {
  if (pattern !== undefined) return `text that matches ${pattern}`
  if (minLength === 1 && maxLength === undefined) return 'text, not empty'
  const count = countText(minLength, maxLength)
  return count === '' ? 'text' : `text of ${count} characters`
}

function countText(min = 0, max = Number.POSITIVE_INFINITY): string {
  if (min === max) return String(min)
  if (max !== Number.POSITIVE_INFINITY) return min === 0 ? `at most ${max}` : `${min} to ${max}`
  return min === 0 ? '' : `at least ${min}`
}

/** The tables in the order of the file. Those that a record may hold are shown by one example. */
function sectionsOf(shape: Shape, at: Pick<Section, 'path' | 'marked' | 'example'>): Section[] {
  const parts = Object.entries(shape.properties ?? {})
  const settings = parts.filter(([, part]) => !isTable(part))
  const tables = parts.filter(([, part]) => isTable(part))
  const inner = tables.flatMap(([key, part]) => {
    const marked = at.marked || part.default === undefined
    const example = tableOf(at.example[key] ?? part.example)
    const path = [...at.path, key]
    if (part.properties !== undefined) return sectionsOf(part, { path, marked, example })
    const entry = part.additionalProperties || {}
    const [name, values] = Object.entries(example)[0] ?? ['example', {}]
    const description = [part.description, anyNumber, entry.description].filter(Boolean).join(' ')
    const sample = { path: [...path, name], marked: true, example: tableOf(values) }
    return sectionsOf({ ...entry, description }, sample)
  })
  return [{ ...at, description: shape.description ?? '', settings }, ...inner]
}

/** A table that is there, empty, by default, or may be; any other default is written as a value. */
function isTable({ properties, additionalProperties, default: byDefault = {} }: Shape): boolean {
  const settings = properties ?? (additionalProperties || undefined)?.properties
  return settings !== undefined && Object.keys(tableOf(byDefault)).length === 0
}

function tableOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** conf/treacle.toml: every setting, at its default, commented out; every table, open and empty. */
export function tomlOf(schema: z.ZodObject): string {
  const sections = sectionsOf(shapeOf(schema), { path: [], marked: false, example: {} })
  const blocks = sections.flatMap((section) => [
    ...(section.path.length === 0 ? [] : [tomlHead(section)]),
    ...section.settings.map(([key, shape]) => tomlSetting(key, shape, section)),
  ])
  return `${[preamble, ...blocks].join('\n\n')}\n`
}

function tomlHead({ path, description, marked }: Section): string {
  const mark = marked ? '#: ' : ''
  return ['', ...wrap(description, '# '), `${mark}[${path.map(tomlKey).join('.')}]`].join('\n')
}

function tomlSetting(key: string, shape: Shape, { marked, example: examples }: Section): string {
  const { default: byDefault, description = '' } = shape
  const example = examples[key] ?? shape.example
  const expected = expects(shape, byDefault !== undefined)
  const live = !marked && byDefault !== undefined
  const use = example ?? (live ? undefined : (byDefault ?? placeholder(shape)))
  return [
    ...wrap(description, '# '),
    ...(selfEvident.includes(expected) ? [] : wrap(`Expects ${expected}.`, '# ')),
    ...(byDefault === undefined ? ['# No default.'] : []),
    ...(live ? [`#${tomlKey(key)} = ${tomlValue(byDefault)}`] : []),
    ...(use === undefined ? [] : [`#: ${tomlKey(key)} = ${tomlValue(use)}`]),
  ].join('\n')
}

/** Stands in for an example that nobody has given. */
function placeholder({ type, const: only, enum: choices, minimum = 0 }: Shape): unknown {
  return only ?? choices?.[0] ?? (type === 'integer' || type === 'number' ? minimum : '...')
}

/** docs/manual.md: what can be set, and how. */
export function manualOf(schema: z.ZodObject, variables: readonly Variable[]): string {
  const sections = sectionsOf(shapeOf(schema), { path: [], marked: false, example: {} })
  const blocks = sections
    .filter(({ path, settings }) => path.length > 0 || settings.length > 0)
    .flatMap(({ path, description, settings }) => [
      path.length === 0 ? '## Above all tables' : `## \`[${path.map(tomlKey).join('.')}]\``,
      ...(description === '' ? [] : [wrap(inMarkdown(description), '').join('\n')]),
      ...settings.map(([key, shape]) => manualSetting(key, shape)),
    ])
  const fromEnvironment = variables.map(({ variable, path, description }) => {
    const text = `- **\`${variable}\`** replaces \`${keyText(path)}\`. ${inMarkdown(description)}`
    return wrap(text, '', '  ').join('\n')
  })
  return `${[intro, ...blocks, environmentRules, ...fromEnvironment].join('\n\n')}\n`
}

function manualSetting(key: string, shape: Shape): string {
  const { default: byDefault, description = '', example } = shape
  const standard = byDefault === undefined ? 'No default.' : `Default: \`${tomlValue(byDefault)}\`.`
  const use = example === undefined ? '' : ` Example: \`${tomlValue(example)}\`.`
  const head = `- **\`${tomlKey(key)}\`**: ${inMarkdown(expects(shape))}. ${standard}${use}`
  return [...wrap(head, '', '  '), ...wrap(inMarkdown(description), '  ')].join('\n')
}

/** Keeps what would be markup outside of `code` from being taken for it. */
function inMarkdown(text: string): string {
  return text.replace(/`[^`]*`|[<*]/g, (found) => (found.length > 1 ? found : `\\${found}`))
}

/** Fills lines; `first` opens the first of them, `rest` the others. No text makes no line. */
function wrap(text: string, first: string, rest = first): string[] {
  const words = text.split(/[ \n]+/).filter((word) => word !== '')
  const widthMax = 100
  const lines: string[] = []
  for (const word of words) {
    const line = lines.pop()
    if (line === undefined) lines.push(first + word)
    else if (line.length + 1 + word.length <= widthMax) lines.push(`${line} ${word}`)
    else lines.push(line, rest + word)
  }
  return lines
}
