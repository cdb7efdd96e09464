/**
 * `npm run faults`: every fault, with and without the memory of unheard replies; prints the table and
 * keeps it in docs/faults.md. Options: `-- --messages 500 --hits 3 --parallel 4 --only WORDS`. Needs
 * root, for the mail servers and for network namespaces of its own.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { faultsFor } from './faults.ts'
import { Links } from './links.ts'
import { play, type Result } from './play.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '500' },
    hits: { type: 'string', default: '3' },
    parallel: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
  },
})
const messages = Number(values.messages)
const hitsMax = Number(values.hits)
const docsFile = join(import.meta.dirname, '../../docs/faults.md')
const say = (text: string) => process.stdout.write(`${text}\n`)

const head = [
  '| fault | memory | sent | struck | delivered | lost | duplicated | of these unavoidable | s | |',
  '|---|---|---|---|---|---|---|---|---|---|',
]

process.exitCode = await main()

async function main(): Promise<number> {
  const plays = faultsFor(true)
    .filter(({ name }) => name.includes(values.only))
    .flatMap((fault) => [false, true].map((memory) => ({ fault, memory })))
  const results: Result[] = []
  for (const line of head) say(line)
  let next = 0
  const worker = async (index: number) => {
    await using links = await Links.make(index)
    for (let at = next++; at < plays.length; at = next++) {
      const { fault, memory } = plays[at] ?? fail()
      const plan = { messages, hitsMax, memory, timeoutMs: 120_000 + messages * 500 }
      const result = await play(fault, plan, links)
      results[at] = result
      say(rowOf(result))
    }
  }
  await Promise.all(Array.from({ length: Number(values.parallel) }, (_, index) => worker(index)))
  if (values.only === '') writeFileSync(docsFile, page(results.map(rowOf)))
  const wrong = results.filter((result) => result.wrong !== '')
  for (const result of wrong) say(`WRONG: ${rowOf(result)}`)
  return wrong.length === 0 ? 0 : 1
}

function fail(): never {
  throw new Error('no such play')
}

function rowOf(result: Result): string {
  const { fault, memory, sent, hits, delivered, duplicates, seconds, wrong } = result
  const unavoidable = fault.lost250 ? Math.min(duplicates, hits) : 0
  // What is loaded into the process is there from its start.
  const struck = fault.nodeArgs === undefined ? hits : 'all along'
  const cells = [
    ...[fault.name, memory ? 'on' : 'off', sent, struck, delivered, sent - delivered],
    ...[duplicates, unavoidable, seconds, wrong === '' ? '' : `**${wrong}**`],
  ]
  return `| ${cells.join(' | ')} |`
}

function page(rows: readonly string[]): string {
  return `# Faults

Written by \`npm run faults\`. A real Postfix that queues and retries sends messages through Treacle to a
back end; all three are processes of their own, Treacle in a network namespace. "Struck" says how often each fault did. "Lost" are
messages that were neither stored nor still in the queue of Postfix at the end, "duplicated" those that
were stored more than once.

Unavoidable duplicates are those where the back end stored a message and its 250 never reached Treacle:
nobody knows then that it was taken (RFC 1047). With the memory of unheard replies (\`memory.unheard\`, decision 15)
there must be no others.

The time of day is set back and forth inside the process (a preload): Linux has no namespace for it, and setting
the clock of the machine is not for a test.

${[...head, ...rows].join('\n')}
`
}
