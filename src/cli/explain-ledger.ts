/**
 * The ledger of one connection in words, for people: who came, what was found and what gave it away,
 * what that came to, what the client waited and what became of its mail.
 *
 * The same for a connection that was (treacle explain) and one that might be (treacle try).
 */
import { z } from 'zod'
import { visible } from '../core/text.ts'
import { time } from './replay-figures.ts'

const counted = z.object({
  name: z.string(),
  evidence: z.string().default(''),
  weight: z.number().nullable().default(null),
})

const entry = z.object({
  stage: z.string(),
  reasons: z.array(counted),
  excuses: z.array(counted).default([]),
  targetMs: z.number(),
  lookupMs: z.number().default(0),
  plannedMs: z.number(),
  waitedMs: z.number(),
  reaction: z.string(),
  observed: z.boolean().default(false),
})

const finding = z.object({
  reason: z.string(),
  stage: z.string(),
  evidence: z.string(),
  action: z.string(),
  weight: z.number(),
  excuses: z.array(z.string()).default([]),
})

const transaction = z.object({
  sender: z.string(),
  recipients: z.array(z.object({ address: z.string(), reply: z.string() })),
  bytes: z.number().default(0),
  reply: z.string().default(''),
})

/** The log line of a connection, from whichever version of Treacle: what is missing is not told. */
export const storedLedger = z.object({
  event: z.literal('connection'),
  id: z.string(),
  startedAt: z.string(),
  client: z.string(),
  port: z.number().default(0),
  hostname: z.string().default(''),
  helo: z.string().default(''),
  protocol: z.string().default(''),
  login: z.string().default(''),
  addressHidden: z.boolean().default(false),
  lookupCount: z.number().default(0),
  notTakenCount: z.number().default(0),
  findings: z.array(finding).default([]),
  entries: z.array(entry),
  transactions: z.array(transaction),
  outcome: z.string(),
  reason: z.string().default(''),
  durationMs: z.number(),
})

export type StoredLedger = z.infer<typeof storedLedger>
type Entry = StoredLedger['entries'][number]
type Transaction = StoredLedger['transactions'][number]

/** All of a ledger, heading first. */
export function ledgerLines(ledger: StoredLedger): string[] {
  const { id, startedAt, client, port, outcome, reason, durationMs, lookupCount } = ledger
  const end = endings[outcome] ?? outcome
  const why = reason === '' ? '' : `: ${reason}`
  const questions = lookupCount === 1 ? 'question' : 'questions'
  const asked = lookupCount === 0 ? '' : `, ${lookupCount} ${questions} to the DNS`
  return [
    visible(`${startedAt}  ${client}${port === 0 ? '' : ` port ${port}`}  connection ${id}`),
    ...(ledger.addressHidden ? [hiddenLine] : []),
    ...clientLines(ledger),
    ...findingLines(ledger.findings),
    ...ledger.entries.flatMap(entryLines),
    ...ledger.transactions.flatMap(transactionLines),
    ...unlistedLines(ledger),
    visible(`  end      ${end}${why}, after ${time(durationMs)}${asked}`),
  ]
}

const hiddenLine = '  address  hides many clients (the guard); it was not judged by it'

const endings: Readonly<Record<string, string>> = {
  accepted: 'the back end took the mail',
  refused: 'the mail was refused',
  'turned-away': 'we turned it away',
  left: 'it hung up while it was kept waiting',
  nothing: 'it went without having sent anything',
}

export function clientLines({
  hostname,
  helo,
  protocol,
  login,
}: Pick<StoredLedger, 'hostname' | 'helo' | 'protocol' | 'login'>): string[] {
  const lines = [
    `  name     ${hostname === '' ? '(none is known to lead back to the address)' : hostname}`,
    `  HELO     ${helo === '' ? '(never said)' : helo}`,
  ]
  if (protocol !== '') lines.push(`  spoke    ${protocol}${login === '' ? '' : `, as ${login}`}`)
  return lines.map((line) => visible(line))
}

/** What was found, whatever came of it. */
export function findingLines(findings: readonly Found[]): string[] {
  return findings.map(({ reason, stage, evidence, action, weight, excuses }) => {
    const isExcuse = excuses.length > 0
    const remark = action === 'delay' || isExcuse ? '' : `(${action}) `
    const cells = [
      `  ${isExcuse ? 'excuse' : 'found'}`.padEnd(10),
      `at ${stage}`.padEnd(12),
      reason.padEnd(24),
      (isExcuse ? `takes ${weight}` : `weight ${weight}`).padEnd(10),
      `${remark}${visible(evidence, 300)}`,
    ]
    return cells.join(' ').trimEnd()
  })
}

/** A finding of today or of a log. */
interface Found extends Omit<StoredLedger['findings'][number], 'excuses'> {
  readonly excuses: readonly string[]
}

/** One wait: what it was for, how it was reckoned, what the client did. */
function entryLines({ stage, reasons, excuses, reaction, observed, ...times }: Entry): string[] {
  const { targetMs, lookupMs, plannedMs, waitedMs } = times
  const sum = reasons.reduce((total, { weight }) => total + (weight ?? 0), 0)
  const names = reasons.map(({ name, weight }) => (weight === null ? name : `${name} ${weight}`))
  const pleas = excuses.map(({ name }) => name)
  const what = commands[stage] ?? stage
  const did = reactionText(reaction, waitedMs, observed)
  if (names.length === 0 && stage === 'greeting') {
    return [visible(`  ${what.padEnd(8)} a pause of ${time(plannedMs)}, as for everybody; ${did}`)]
  }
  const part = reasons.some(({ weight }) => weight !== null) ? `, ${sum} in all` : ''
  const despite = pleas.length > 0 ? `, after the excuse ${pleas.join(', ')}` : ''
  return [
    visible(`  ${what.padEnd(8)} delayed for ${names.join(' + ')}${part}${despite}`, 600),
    `           whole delay ${time(targetMs)}; look-ups took ${time(lookupMs)}, left to wait ` +
      `${time(plannedMs)}; ${did}`,
  ]
}

const commands: Readonly<Record<string, string>> = {
  greeting: 'greeting',
  login: 'AUTH',
  rcpt: 'RCPT',
}

function reactionText(reaction: string, waitedMs: number, observed: boolean): string {
  if (observed) return 'nobody waited: this is what would have been'
  const waited = time(waitedMs)
  if (reaction === 'waited') return `it waited ${waited}`
  if (reaction === 'left') return `it hung up after ${waited}`
  if (reaction === 'talked') return `it talked out of turn after ${waited}`
  if (reaction === 'released') return `we let it go after ${waited}`
  return visible(`${reaction} after ${waited}`)
}

/** What the ledger has no room for. */
function unlistedLines({ notTakenCount, transactions }: StoredLedger): string[] {
  const recipients = transactions.flatMap((each) => each.recipients)
  const unlisted = notTakenCount - recipients.filter(({ reply }) => !reply.startsWith('2')).length
  return unlisted > 0 ? [`  RCPT     ${unlisted} more that were refused and are not listed`] : []
}

function transactionLines({ sender, recipients, bytes, reply }: Transaction): string[] {
  const lines = [
    `  MAIL     FROM:<${sender}>`,
    ...recipients.map(({ address, reply: said }) => `  RCPT     TO:<${address}>: ${said}`),
  ]
  if (reply !== '') lines.push(`  DATA     ${bytes} bytes: ${reply}`)
  return lines.map((line) => visible(line, 600))
}
