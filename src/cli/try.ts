/**
 * `treacle try`: plays one connection through and prints the ledger as it would be. Nothing is sent
 * and nobody waits; the look-ups are real ones, unless they are told or called off.
 */
import { ListFiles } from '../config/files.ts'
import { makeJudging } from '../config/judging.ts'
import type { Config } from '../config/schema.ts'
import type { Clock, Ms } from '../core/clock.ts'
import { splitAddress } from '../core/envelope.ts'
import { type Ip, parseIp } from '../core/ip.ts'
import { replyText } from '../core/reply.ts'
import { visible } from '../core/text.ts'
import { keptKey } from '../delay/key.ts'
import type { Weighed } from '../delay/weigh.ts'
import { type Dns, SystemDns } from '../dns/resolver.ts'
import { Log } from '../observe/log.ts'
import { notOurs } from '../relay/failures.ts'
import { takesDomain } from '../relay/open-relay.ts'
import { recordedDns } from '../session/judge.ts'
import { clientLines, findingLines, type StoredLedger, storedLedger } from './explain-ledger.ts'
import { InputError } from './read-lines.ts'
import type { NameState, Recorded } from './read-record.ts'
import type { Settings } from './replay.ts'
import { time } from './replay-figures.ts'
import { makeJudge, noKey, type Opinion } from './replay-judge.ts'
import { type LookUp, NotingDns, withTold } from './try-dns.ts'

export interface Trial {
  readonly ip: string
  readonly helo: string
  /** null when the client gives none. */
  readonly from: string | null
  readonly to: readonly string[]
  /** The name of the address; "" for none, null to ask the DNS. */
  readonly ptr: string | null
  /** `ptr` leads elsewhere. */
  readonly unconfirmed: boolean
  /** Ask nobody. */
  readonly offline: boolean
  readonly settings: Settings
  /** For tests. */
  readonly dns?: Dns
}

/** What came of it; also what --json prints. */
export interface TrialReport {
  readonly kind: 'treacle-try'
  readonly version: 1
  /** The config file; null for the defaults. */
  readonly config: string | null
  readonly lookUps: readonly LookUp[]
  readonly lookUpMs: Ms
  readonly opinion: Opinion
  readonly fullAt: number
  readonly greetPauseMs: Ms
  readonly ledger: StoredLedger
}

/** @throws InputError when `ip` is no address; ConfigError. */
export async function tryOne(trial: Trial, clock: Clock): Promise<TrialReport> {
  if (trial.offline || trial.dns !== undefined) return await play(trial, trial.dns ?? null, clock)
  const dns = new SystemDns(trial.settings.config.dns, clock)
  try {
    return await play(trial, dns, clock)
  } finally {
    dns.close()
  }
}

async function play(trial: Trial, real: Dns | null, clock: Clock): Promise<TrialReport> {
  const { config, folder, modules = [] } = trial.settings
  const recorded = recordOf(trial)
  const told = recordedDns({ ...recorded, recipient: null })
  const other = real ?? told
  const names = [recorded.name, recorded.helo, splitAddress(recorded.sender ?? '').domain]
  const asking = trial.ptr === null ? other : withTold(told, recorded, other)
  const dns = new NotingDns(clock, asking, names)
  const log = new Log(clock, { level: 'silent', format: 'json' })
  const judging = makeJudging(config, { files: new ListFiles(folder), clock, log, dns, modules })
  const key = keptKey(config.delay.key_file) ?? noKey
  const judge = makeJudge({
    ...{ judging, recipients: config.recipients, delay: config.delay, key, dns },
    unknownAs: 'unknown',
  })
  const startedAt = clock.now()
  const opinion = await judge(recorded)
  const lookUpMs = Math.round(clock.now() - startedAt)
  const { lookUps } = dns
  const { pause, pause_suspect } = config.greeting
  const suspect = opinion.weighed.some(isCountingAtConnect)
  return {
    kind: 'treacle-try',
    version: 1,
    config: trial.settings.file,
    lookUps,
    lookUpMs,
    opinion,
    fullAt: config.delay.full_at,
    greetPauseMs: suspect ? pause_suspect : pause,
    ledger: ledgerOf(recorded, opinion, { lookUpMs, asked: lookUps, clock, config }),
  }
}

function isCountingAtConnect({ finding, counts }: Weighed): boolean {
  return finding.stage === 'connect' && counts > 0
}

function recordOf({ ip: text, helo, from, to, ptr, unconfirmed }: Trial): Recorded {
  const ip = parseIp(text)
  if (ip === null) {
    throw new InputError(
      `--ip ${visible(text)}: expected an address such as 192.0.2.1 or 2001:db8::1`,
    )
  }
  return {
    ...{ line: 0, label: '', source: '', hop: '', earlyTalk: null, authenticated: false },
    ...{ ip, helo, sender: from, recipients: to },
    name: (ptr ?? '').toLowerCase().replace(/\.$/, ''),
    nameState: stateOf(ptr, unconfirmed),
  }
}

function stateOf(ptr: string | null, unconfirmed: boolean): NameState {
  if (ptr === null) return 'unrecorded'
  if (ptr === '') return 'none'
  return unconfirmed ? 'unverified' : 'verified'
}

/** The back end, whose word it would be. */
const notAsked = '(not asked)'

/** The ledger that the session would have closed with, had nobody waited. */
function ledgerOf(
  recorded: Recorded,
  opinion: Opinion,
  around: { lookUpMs: Ms; asked: readonly LookUp[]; clock: Clock; config: Config },
): StoredLedger {
  const { ip, helo, sender, recipients } = recorded
  const { lookUpMs, asked, clock, config } = around
  const { weighed, waits, targetMs } = opinion
  const line = ({ finding, counts }: Weighed, weight = counts) => {
    return { name: finding.reason, evidence: finding.evidence, weight }
  }
  const reasons = weighed.filter(({ counts }) => counts > 0).map((each) => line(each))
  const excuses = weighed
    .filter(({ finding }) => finding.excuses.length > 0)
    .map((each) => line(each, each.finding.weight))
  return storedLedger.parse({
    event: 'connection',
    id: '(tried)',
    startedAt: clock.wall().toISOString(),
    client: ip.text,
    hostname: confirmedOf(ip, asked),
    helo,
    lookupCount: asked.length,
    findings: weighed.map(({ finding }) => finding),
    entries: waits
      .filter((ms) => ms > 0)
      .map((ms, index) => ({
        ...{ stage: 'rcpt', reasons, excuses, targetMs, waitedMs: 0, reaction: 'waited' },
        lookupMs: index === 0 ? Math.min(lookUpMs, ms) : 0,
        plannedMs: Math.round(index === 0 ? Math.max(1_000, ms - lookUpMs) : ms),
        observed: true,
      })),
    transactions:
      recipients.length === 0 || sender === null ? [] : [transactionOf(recorded, config)],
    outcome: 'nothing',
    durationMs: lookUpMs,
  })
}

function transactionOf({ sender, recipients }: Recorded, { backend }: Config) {
  const addresses = recipients.map((address) => {
    const isTaken = takesDomain(backend.recipient_domains, address)
    return { address, reply: isTaken ? notAsked : replyText(notOurs) }
  })
  return { sender: sender ?? '', recipients: addresses, bytes: 0, reply: '' }
}

/** The name that led back to the address, as the look-ups tell. */
function confirmedOf(ip: Ip, asked: readonly LookUp[]): string {
  const pointers = asked.find(({ type, name }) => type === 'PTR' && name === ip.text)?.answer
  const names = pointers?.kind === 'found' ? pointers.records : []
  const leadsBack = (name: string) =>
    asked.some(({ name: of, answer }) => of === name && answer.kind === 'found' && has(answer, ip))
  return names.find(leadsBack) ?? ''
}

function has(answer: { readonly records: readonly string[] }, ip: Ip): boolean {
  return answer.records.some((text) => parseIp(text)?.text === ip.text)
}

export function trialText(report: TrialReport): string[] {
  const { ledger, opinion, fullAt, lookUps, greetPauseMs, config } = report
  const by = config ?? 'the default settings'
  return [
    `A connection from ${ledger.client} as ${by} would judge it; nothing was sent and nobody waited.`,
    ...clientLines(ledger),
    ...lookUpLines(lookUps),
    ...findingLines(ledger.findings),
    `  sum      ${sumText(opinion, fullAt)}`,
    `  greeting after a pause of ${time(greetPauseMs)}`,
    ...waitLines(report),
  ]
}

function lookUpLines(lookUps: readonly LookUp[]): string[] {
  const rows = lookUps.map(({ type, name, answer, tookMs }) => {
    const said = answer.kind === 'found' ? answer.records.join(', ') : answerText(answer)
    return [`  asked    ${type} ${visible(name, 80)}`, visible(said, 120), `${tookMs} ms`]
  })
  if (rows.length === 0) return []
  const width = Math.max(...rows.map(([question = '']) => question.length))
  return rows.map(([question = '', said, took]) => `${question.padEnd(width)}  ${said}  (${took})`)
}

function answerText(
  answer: { readonly kind: 'none' } | { readonly kind: 'unavailable'; why: string },
) {
  return answer.kind === 'none' ? 'none' : `unavailable: ${answer.why}`
}

function sumText({ weighed, sum, whole, fraction }: Opinion, fullAt: number): string {
  const accused = weighed.some(({ finding }) => finding.excuses.length === 0)
  if (!accused) return 'nothing speaks against this client'
  if (sum === 0) return 'the excuses outweigh all that was found'
  const part = fraction >= 1 ? 'the whole delay' : `${Math.round(100 * fraction)} % of the delay`
  return `${sum} where ${fullAt} earn the whole delay: ${part}${whole || fraction < 1 ? '' : ', shortened'}`
}

function waitLines({ ledger, opinion, lookUpMs }: TrialReport): string[] {
  const recipients = ledger.transactions.flatMap((each) => each.recipients)
  const refused = recipients
    .filter(({ reply }) => reply !== notAsked)
    .map(({ address, reply }) =>
      visible(`  RCPT     TO:<${address}> is then refused: ${reply}`, 400),
    )
  if (opinion.delayMs === 0) return ['  RCPT     answered at once', ...refused]
  const answered = opinion.waits.map((ms, index) => {
    const to = recipients[index]?.address
    const whom = to === undefined ? '' : ` TO:<${to}>`
    const all = `after ${time(ms)} of ${time(opinion.targetMs)}`
    const looked = index === 0 && lookUpMs >= 100 ? `, ${time(lookUpMs)} of it for look-ups` : ''
    return visible(`  RCPT    ${whom} answered ${ms === 0 ? 'at once' : `${all}${looked}`}`, 400)
  })
  return [...answered, ...refused]
}
