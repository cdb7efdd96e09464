/** The counts as Markdown. Figures only: nothing of a row is in it. */
import type { Baseline } from './evidence-baselines.ts'
import { type Corpus, type Count, largeSenders, type Sum, type Sums } from './evidence-corpora.ts'

/** What the default is to reach, in per cent of the distinct clients of a corpus. */
const targets = [
  { corpus: 'trec07p spam', what: 'delayed', least: 90 },
  { corpus: 'trec07p spam', what: 'whole', least: 55 },
  { corpus: 'trec07p honest, small servers', what: 'delayed', most: 4.5 },
  { corpus: 'trec07p honest, small servers', what: 'whole', most: 1.2 },
  { corpus: 'lists since 2019', what: 'delayed', most: 1.2 },
  { corpus: 'lists since 2019', what: 'whole', most: 0.1 },
] as const

export function report(sums: Sums, baselines: readonly Baseline[]): string {
  return `${[
    intro,
    '## What the default is to reach',
    targetsTable(sums),
    '## The whole policy, beside others',
    policyText,
    policyTable(sums, baselines, (count) => count.clients),
    'The same by connection, where a few busy hosts sway the figures:',
    policyTable(sums, baselines, (count) => count.connections),
    '## Each reason',
    reasonsText,
    reasonsTable(sums),
    '## Large senders',
    'Distinct clients whose confirmed names are theirs, and how many of these the reasons that go by ' +
      'the host name alone have found:',
    sendersTable(sums),
  ].join('\n\n')}\n`
}

const intro = `\
# Evidence

Written by \`npm run evidence -- DATA\`; do not edit. What the shipped default makes of recorded mail,
without asking any DNS: names and their confirmation are those that the receiving server wrote down,
so DNS lists, SOHO and whatever else needs a look-up have no part in it. A client is an address with
its host name and its HELO; per cent are of distinct clients unless it says otherwise. A name that
the server called "unknown" without saying why proves nothing here, as a failed look-up does not.

Spam corpora hold accepted mail only, so the modern ones show what came past other filters.`

const policyText = `\
Treacle delays by degrees; "whole" are those that earn the whole delay. The others know one
consequence, so all that they find is whole. Botnet is given no SOHO excuse either; a name that the
server called "unknown" is no name to it.`

const reasonsText = `\
How many per cent of the clients of each corpus a reason was found for, whatever came of it.
Excuses are marked with a minus. Reasons that no recorded row can show (what was said before the
greeting, look-ups, the course of the dialogue) are not in the table.`

function targetsTable(sums: Sums): string {
  const rows = targets.map((target) => {
    const corpus = sums.corpora.find(({ name }) => name === target.corpus)
    if (corpus === undefined) return []
    const shares = (['all', 'a', 'b'] as const).map((half) => {
      const sum = sums.of(corpus, half)
      return percent(sum.of(target.what).clients, sum.of('all').clients)
    })
    const bound = 'least' in target ? `at least ${target.least} %` : `at most ${target.most} %`
    return [target.corpus, target.what, bound, ...shares]
  })
  const head = ['corpus', 'clients', 'to reach', 'measured', 'half A', 'half B']
  return `${table(head, rows)}\n\nThe halves are of the networks (/24, /64), by a hash.`
}

function policyTable(
  sums: Sums,
  baselines: readonly Baseline[],
  count: (count: Count) => number,
): string {
  const share = (sum: Sum, key: string) => percent(count(sum.of(key)), count(sum.of('all')))
  const rows = sums.corpora.map((corpus) => {
    const sum = sums.of(corpus)
    return [
      `${corpus.kind}: ${corpus.name}`,
      String(count(sum.of('all'))),
      share(sum, 'delayed'),
      share(sum, 'whole'),
      ...baselines.map(({ name }) => share(sum, `baseline ${name}`)),
    ]
  })
  const head = [
    'corpus',
    'number',
    'Treacle: delayed',
    'whole',
    ...baselines.map(({ name }) => name),
  ]
  return table(head, rows)
}

function reasonsTable(sums: Sums): string {
  const shown = sums.corpora.filter((corpus) => sums.of(corpus).of('all').clients > 0)
  const found = new Set(shown.flatMap((corpus) => reasonsIn(sums, corpus)))
  const excuses = ['botnet-serverwords', 'botnet-soho']
  const rows = [...found].sort().map((reason) => [
    excuses.includes(reason) ? `- ${reason}` : reason,
    ...shown.map((corpus) => {
      const sum = sums.of(corpus)
      return percent(sum.of(`reason ${reason}`).clients, sum.of('all').clients)
    }),
  ])
  return table(['reason', ...shown.map(({ name }) => name)], rows)
}

function reasonsIn(sums: Sums, corpus: Corpus): string[] {
  return sums
    .of(corpus)
    .keys.flatMap((key) => (key.startsWith('reason ') ? key.slice('reason '.length) : []))
}

function sendersTable(sums: Sums): string {
  const rows = largeSenders.map(([name]) => {
    const sum = sums.ofSender(name)
    return [name, String(sum.of('all').clients), String(sum.of('by name').clients)]
  })
  return table(['sender', 'clients', 'found by host name'], rows)
}

function percent(part: number, all: number): string {
  return all === 0 ? '-' : `${((100 * part) / all).toFixed(2)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'))
  return [line(head), line(rule), ...rows.filter((row) => row.length > 0).map(line)].join('\n')
}
