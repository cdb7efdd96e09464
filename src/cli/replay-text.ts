/** What `treacle replay` prints for people: the document in words, tables and first examples. */
import { visible } from '../core/text.ts'
import { type ChangedClient, type CompareReport, changes, isHonest } from './replay-compare.ts'
import type { FileReport, GroupReport, ReasonReport, ReplayDocument } from './replay-document.ts'
import { count, share, table, time, whoIs, wrapped } from './replay-figures.ts'

export interface TextOptions {
  /** How many clients of a comparison are listed. */
  readonly shown: number
}

export function replayText(document: ReplayDocument, { shown }: TextOptions): string[] {
  const { labels, groups, compare } = document
  const manyFiles = document.files.length > 1
  return [
    ...document.files.flatMap(fileLines),
    ...basisLines(document),
    '',
    ...overview(labels, groups),
    ...labels.flatMap((label) => reasonLines(label, manyFiles)),
    ...(compare === null ? [] : compareLines(compare, document, shown)),
  ]
}

function fileLines({ file, format, lines, connections, bad, badLines }: FileReport): string[] {
  const what = format === null ? 'empty' : `${formatNames[format]}, ${count(lines)} lines`
  const first = `${file}: ${what}, ${count(connections)} connections`
  if (bad === 0) return [first]
  const more = bad > badLines.length ? [`  and ${count(bad - badLines.length)} more`] : []
  return [
    `${first}; ${count(bad)} lines could not be read:`,
    ...badLines.map(({ line, expected }) => visible(`  line ${line}: expected ${expected}`)),
    ...more,
  ]
}

const formatNames = { tsv: 'TSV', exim: 'Exim main log', postfix: 'Postfix mail log' } as const

/** What the judgement rests on, and what it could not know. */
function basisLines({
  config,
  dns,
  target,
  names,
  heloUnknown,
  ...rest
}: ReplayDocument): string[] {
  const by = config === null ? 'the default settings' : config
  const how = dns === 'live' ? 'asking the DNS of today' : 'by what the files hold, asking no DNS'
  const lines = [
    `Judged by ${by}, ${how}; the whole delay is ${time(target.shortestMs)} to ${time(target.longestMs)}.`,
  ]
  const open = names.unknown + names.unrecorded
  if (dns === 'recorded' && open > 0) {
    lines.push(
      `Of ${count(open)} connections it is not told whether the client has a name: that is no evidence.`,
    )
  }
  if (dns === 'recorded' && names.unknown > 0) {
    lines.push(
      `${count(names.unknown)} of them were looked up in vain; --unknown none counts those as nameless.`,
    )
  }
  if (heloUnknown > 0) lines.push(`Of ${count(heloUnknown)} the HELO is not known, nor judged.`)
  if (rest.reasonsFailed > 0) {
    lines.push(
      `${count(rest.reasonsFailed)} times a reason failed or was too slow and found nothing.`,
    )
  }
  return lines
}

function overview(labels: readonly GroupReport[], groups: readonly GroupReport[]): string[] {
  const rows = labels.flatMap((total) => [
    overviewRow(total.label === '' ? '(no label)' : total.label, total),
    ...groups
      .filter(({ label }) => label === total.label)
      .map((group) => overviewRow(`  ${group.source} ${group.hop}`.trimEnd(), group)),
  ])
  return table([
    [
      '',
      'connections',
      'delayed',
      'share',
      'whole',
      'clients',
      'delayed',
      'share',
      'whole',
      'delay',
    ],
    ...rows,
  ])
}

function overviewRow(name: string, { all, delayed, whole, delayMs }: GroupReport): string[] {
  return [
    visible(name, 40),
    count(all.connections),
    count(delayed.connections),
    share(delayed.connections, all.connections),
    share(whole.connections, all.connections),
    count(all.clients),
    count(delayed.clients),
    share(delayed.clients, all.clients),
    share(whole.clients, all.clients),
    time(delayMs),
  ]
}

function reasonLines(report: GroupReport, manyFiles: boolean): string[] {
  const { label, all, reasons } = report
  const found = reasons.filter(({ connections }) => connections > 0)
  const unfound = reasons.filter(({ connections }) => connections === 0)
  const title = label === '' ? 'What was found' : `What was found of ${visible(label, 40)}`
  const head = ['', 'connections', 'share', 'clients', 'share', 'alone', 'weight', 'delay']
  const lines = ['', `${title}: ${foundCounts(report)}`, '']
  if (found.length > 0) {
    lines.push(...table([head, ...found.map((reason) => reasonRow(reason, all))]), '')
  }
  if (unfound.length > 0) {
    lines.push(
      ...wrapped(
        'Not found:',
        unfound.map(({ reason }) => reason),
      ),
    )
  }
  return [...lines, ...togetherLines(report), ...exampleLines(found, manyFiles)]
}

function foundCounts({ all, byReasonCount, excused, greylisted, rejected }: GroupReport): string {
  const [none = 0, one = 0, two = 0, ...more] = byReasonCount
  const many = more.reduce((sum, each) => sum + each, 0)
  const parts = [
    `nothing of ${share(none, all.connections)}`,
    `one reason of ${share(one, all.connections)}`,
    `two of ${share(two, all.connections)}`,
    `more of ${share(many, all.connections)}`,
  ]
  const others: [string, number][] = [
    ['without consequence', excused.connections],
    ['to be greylisted', greylisted.connections],
    ['to be refused', rejected.connections],
  ]
  for (const [what, connections] of others) {
    if (connections > 0) parts.push(`${count(connections)} ${what}`)
  }
  return parts.join(', ')
}

function reasonRow(
  { reason, action, excuses, connections, clients, alone, weight, delayMs }: ReasonReport,
  all: GroupReport['all'],
): string[] {
  const remark = action === 'delay' ? '' : ` (${action})`
  const isExcuse = excuses.length > 0
  return [
    isExcuse ? `${reason} (excuse)` : `${reason}${remark}`,
    count(connections),
    share(connections, all.connections),
    count(clients),
    share(clients, all.clients),
    isExcuse ? '' : count(alone),
    `${isExcuse ? '-' : ''}${weight}`,
    isExcuse ? '' : time(delayMs),
  ]
}

const pairsShown = 5

function togetherLines({ together, all }: GroupReport): string[] {
  if (together.length === 0) return []
  const pairs = together.slice(0, pairsShown).map(({ reasons, connections }) => {
    return `${reasons.join(' + ')} ${share(connections, all.connections)}`
  })
  return wrapped('Most often together:', pairs)
}

function exampleLines(found: readonly ReasonReport[], manyFiles: boolean): string[] {
  if (found.length === 0) return []
  return [
    'First of each:',
    ...found.flatMap(({ reason, examples: [first] }) =>
      first === undefined
        ? []
        : [`  ${reason}: ${visible(first.evidence, 200)}`, `    ${whoIs(first, manyFiles)}`],
    ),
  ]
}

function compareLines(
  compare: CompareReport,
  { config, files }: ReplayDocument,
  shown: number,
): string[] {
  const totals = compare.totals.map(({ label, changes: of, delayMs }) => [
    label === '' ? '(no label)' : visible(label, 40),
    ...changes.map((change) => `${count(of[change].connections)} (${count(of[change].clients)})`),
    `${delayMs > 0 ? '+' : ''}${time(delayMs)}`,
  ])
  const listed = compare.clients.slice(0, shown)
  const more = compare.clients.length - listed.length + compare.unlisted
  return [
    '',
    `With ${compare.config} instead of ${config ?? 'the default settings'}, connections (clients):`,
    '',
    ...table([['', ...changes, 'delay in all'], ...totals]),
    ...worstLines(listed, files.length > 1),
    ...(more > 0 ? ['', `and ${count(more)} more clients; --show N lists more`] : []),
  ]
}

/** Under a heading for each kind of change, in the order they come: worst first. */
function worstLines(clients: readonly ChangedClient[], manyFiles: boolean): string[] {
  let heading = ''
  return clients.flatMap((client) => {
    const { label, change, beforeMs, afterMs, connections, example } = client
    const who = `${isHonest(label) ? 'Honest senders' : 'Others'} (${label === '' ? 'no label' : label})`
    const title = visible(`${who}, ${change}:`, 100)
    const lines = title === heading ? [] : ['', title]
    heading = title
    const times = connections === 1 ? '' : ` (${count(connections)} connections)`
    return [
      ...lines,
      `  ${time(beforeMs)} -> ${time(afterMs)}  ${whoIs(example, manyFiles)}${times}`,
      `    ${visible(example.evidence, 300)}`,
    ]
  })
}
