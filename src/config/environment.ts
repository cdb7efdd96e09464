/**
 * The few settings that may come from the environment, for containers that have no config file.
 *
 * Each is laid over the file before anything is checked, and checked like the rest. A `TREACLE_`
 * variable that is not in the table is most likely a slip of the pen and is reported.
 */
import type { Problem } from '../core/errors.ts'

/** A variable and the setting that it replaces. */
export interface Variable {
  readonly variable: string
  readonly path: readonly string[]
  /** A list is written with commas between its items. */
  readonly form: 'text' | 'list'
  readonly description: string
}

/** A value that replaces what the file says, and the environment variable that it came from. */
export interface Override {
  readonly variable: string
  readonly path: readonly string[]
  readonly value: unknown
}

/** What `process.env` looks like. */
export type Environment = Readonly<Record<string, string | undefined>>

export const variables: readonly Variable[] = [
  {
    variable: 'TREACLE_BACKEND',
    path: ['backend', 'addresses'],
    form: 'list',
    description:
      'Where the mail server behind us listens, in order of preference, with commas between.',
  },
  {
    variable: 'TREACLE_INTRODUCE',
    path: ['backend', 'introduce'],
    form: 'text',
    description: 'How the back end learns who the client is.',
  },
  {
    variable: 'TREACLE_LISTEN',
    path: ['listen', 'addresses'],
    form: 'list',
    description: 'Where we listen for clients, with commas between.',
  },
  {
    variable: 'TREACLE_MODE',
    path: ['mode'],
    form: 'text',
    description: 'Whether anybody is made to wait: "enforce" or "observe".',
  },
  {
    variable: 'TREACLE_NAME',
    path: ['name'],
    form: 'text',
    description: 'The host name by which we introduce ourselves.',
  },
  {
    variable: 'TREACLE_RECIPIENT_DOMAINS',
    path: ['backend', 'recipient_domains'],
    form: 'list',
    description: 'Domains that mail may be addressed to, with commas between.',
  },
]

/** Says where the config file is, for those who give no --config. */
const configVariable = 'TREACLE_CONFIG'

/** Opens the manual's section on them. */
export const environmentRules = `\
## Environment

\`TREACLE_CONFIG\` names the config file where \`--config\` is not given. The others are for
containers: a variable replaces what the file says; one that is empty counts as not set. Any
other name that begins with \`TREACLE_\` is reported as a mistake, except for those that Kubernetes
and Docker make up for a service called treacle.`

/**
 * What Kubernetes and Docker put into the environment on their own when a service is called
 * "treacle" or "treacle-backend": TREACLE_SERVICE_HOST, TREACLE_PORT_25_TCP_ADDR.
 */
const madeByOrchestrators =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/

/** The settings that `env` replaces. A variable that is set to nothing counts as not set. */
export function overridesFrom(env: Environment): Override[] {
  return variables.flatMap(({ variable, path, form }) => {
    const value = env[variable]?.trim() ?? ''
    return value === '' ? [] : [{ variable, path, value: form === 'list' ? itemsOf(value) : value }]
  })
}

/** One problem for each `TREACLE_` variable that means nothing to us. */
export function strangeVariables(env: Environment): Problem[] {
  const known = variables.map(({ variable }) => variable)
  return Object.keys(env)
    .filter((name) => name.startsWith('TREACLE_') && name !== configVariable)
    .filter((name) => !known.includes(name))
    .filter((name) => !madeByOrchestrators.test(name))
    .sort()
    .map((name) => {
      const near = nearest(name, known)
      const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`
      return { where: name, key: '', what: `unknown variable; ${hint}` }
    })
}

function itemsOf(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** The name that `word` was most likely meant to be; cases, dashes and underscores do not count. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const plain = plainly(word)
  const [best] = names
    .map((name) => ({ name, distance: editDistance(plain, plainly(name)) }))
    .sort((a, b) => a.distance - b.distance)
  const farthest = Math.max(1, Math.floor(plain.length / 3))
  return best !== undefined && best.distance <= farthest ? best.name : undefined
}

function plainly(name: string): string {
  return name.slice(0, 100).toLowerCase().replace(/[-_]/g, '')
}

/** How many letters to add, drop or change (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1]
    for (const [column, other] of [...b].entries()) {
      const changed = (row[column] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
