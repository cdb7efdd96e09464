/**
 * Three policies of others, on the same rows: the recipe of 2004 and Botnet 0.8, both to the letter,
 * and a list of regular expressions that Postfix operators use. Each knows one consequence only.
 */
import { readFileSync } from 'node:fs'
import { type ReasonsOptions, reasonsOptions } from '../src/reasons/index.ts'
import { makePolicy, type Policy } from './evidence-policy.ts'

export interface Baseline {
  readonly name: string
  readonly judge: Policy
}

const recipe = ['sorbs-dul', 'unqual-helo', 'helo-no-jive', 'hostname-dsl-or-dialup']
const botnet = [
  ...['botnet-nordns', 'botnet-baddns', 'botnet-client', 'botnet-serverwords', 'botnet-soho'],
]

/** @param list The file with the regular expressions. */
export async function baselines(list: string): Promise<Baseline[]> {
  const seed = await makePolicy(`reasons.flavell_exact = true\n${only(recipe)}`)
  const letter = await makePolicy(`reasons.botnet.exact = true\n${only(botnet)}`)
  const patterns = parsePatterns(readFileSync(list, 'utf8'))
  return [
    { name: "Flavell's recipe to the letter", judge: seed },
    {
      name: 'Botnet 0.8 to the letter',
      // Where the mail server wrote down no name, verified or not, the plugin sees none; where it
      // writes down names of nobody, there is nothing for the plugin to judge.
      judge: async (recorded) =>
        recorded.nameState === 'unrecorded'
          ? { found: [], delayed: false, whole: false }
          : await letter({
              ...recorded,
              nameState: recorded.nameState === 'unknown' ? 'none' : recorded.nameState,
            }),
    },
    {
      name: 'fqrdns.pcre',
      judge: async ({ name }) => {
        const hit = name !== '' && rejects(patterns, name)
        return { found: [], delayed: hit, whole: hit }
      },
    },
  ]
}

/** Switches off every reason that is not among these. */
function only(names: readonly string[]): string {
  const reasons: ReasonsOptions = reasonsOptions.parse({})
  const others = Object.entries(reasons).filter(
    ([name, value]) =>
      typeof value === 'object' && value !== null && 'action' in value && !names.includes(name),
  )
  return others.map(([name]) => `reasons.${name}.action = "off"\n`).join('')
}

/** A line of a Postfix table of regular expressions (pcre_table(5)), or a block of such lines. */
type Line =
  | { readonly kind: 'rule'; readonly test: Test; readonly action: string }
  | { readonly kind: 'if'; readonly test: Test; readonly lines: Line[] }

type Test = (name: string) => boolean

/** Reads the table. What is neither rule nor block is skipped, as Postfix does with a warning. */
export function parsePatterns(text: string): Line[] {
  const top: Line[] = []
  const open: Line[][] = [top]
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    const into = open.at(-1) ?? top
    if (/^endif\b/i.test(line)) open.pop()
    const [, isBlock, isNot, source, flags, action = ''] =
      /^(if\s+)?(!?)\/((?:[^/\\]|\\.)*)\/([a-z]*)\s*(.*)$/i.exec(line) ?? []
    if (source === undefined) continue
    const test = testOf(source, { isNot: isNot === '!', flags: flags ?? '' })
    if (isBlock === undefined) into.push({ kind: 'rule', test, action: action.toUpperCase() })
    else {
      const lines: Line[] = []
      into.push({ kind: 'if', test, lines })
      open.push(lines)
    }
  }
  return top
}

/** Case does not matter unless a flag "i" says that it does: it is a switch. */
function testOf(source: string, { isNot, flags }: { isNot: boolean; flags: string }): Test {
  const pattern = new RegExp(source, flags.includes('i') ? '' : 'i')
  return (name) => pattern.test(name) !== isNot
}

/** Whether the first line that matches says something else than DUNNO. */
export function rejects(lines: readonly Line[], name: string): boolean {
  return actionFor(lines, name)?.startsWith('DUNNO') === false
}

function actionFor(lines: readonly Line[], name: string): string | null {
  for (const line of lines) {
    if (!line.test(name)) continue
    const action = line.kind === 'rule' ? line.action : actionFor(line.lines, name)
    if (action !== null) return action
  }
  return null
}
