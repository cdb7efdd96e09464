/**
 * What Treacle would make of a connection that a file tells of: findings, and the delay they cost.
 *
 * The judging is that of a live connection (session/judge.ts). Here the record is handed to it, and
 * its verdict is turned into time, recipient by recipient, as a session would.
 */
import type { Ms } from '../core/clock.ts'
import { splitAddress } from '../core/envelope.ts'
import type { Action, Finding } from '../core/ledger.ts'
import {
  type Consequences,
  consequencesOf,
  findingsFor,
  type RecipientsOptions,
} from '../delay/actions.ts'
import type { DelayOptions } from '../delay/options.ts'
import { targetFor, waitDue } from '../delay/policy.ts'
import { type Weighed, weigh } from '../delay/weigh.ts'
import type { Dns } from '../dns/resolver.ts'
import { type Hearsay, type Judging, judge } from '../session/judge.ts'
import type { Recorded } from './read-record.ts'

/** What one configuration makes of one connection. */
export interface Opinion {
  /** Everything found, with what was left of each weight; excuses and what is only observed too. */
  readonly weighed: readonly Weighed[]
  readonly sum: number
  /** Of the whole delay, from 0 to 1. */
  readonly fraction: number
  /** The whole delay of this client's network; 0 where nothing was found. */
  readonly targetMs: Ms
  /** How long the reply to each RCPT takes. */
  readonly waits: readonly Ms[]
  /** All waits of the connection together. */
  readonly delayMs: Ms
  /** It earned the whole target. */
  readonly whole: boolean
  /** The hardest thing that would have been done. */
  readonly consequence: Exclude<Action, 'off' | 'observe'> | 'nothing'
}

export type Judge = (recorded: Recorded) => Promise<Opinion>

export interface JudgeSetup {
  readonly judging: Judging
  /** Other actions for some domains. */
  readonly recipients: RecipientsOptions
  readonly delay: DelayOptions
  /** The key that draws the target of each network. */
  readonly key: Buffer
  /** Whom to ask; null for the record only. */
  readonly dns: Dns | null
  /** What to take a name for of which the record says only that it was not verified. */
  readonly unknownAs: 'unknown' | 'none'
}

export function makeJudge(setup: JudgeSetup): Judge {
  const { judging, dns, unknownAs } = setup
  const targets = new Targets(setup)
  return async (recorded) => {
    if (recorded.authenticated) return nothing
    const [recipient = null] = recorded.recipients
    const nameState = recorded.nameState === 'unknown' ? unknownAs : recorded.nameState
    const recipientCount = Math.max(1, recorded.recipients.length)
    const hearsay: Hearsay = { ...recorded, nameState, recipient, recipientCount }
    const { findings } = await judge(hearsay, judging, dns ?? undefined)
    return opinionOf(recorded, findings, setup, targets)
  }
}

/** Busy clients come again and again, and a record that says the same earns the same. */
export function remembering(judge: Judge): Judge {
  const known = new Map<string, Promise<Opinion>>()
  return (recorded) => {
    const { ip, name, nameState, helo, sender, recipients, earlyTalk, authenticated } = recorded
    const told = [name, nameState, helo, sender, earlyTalk, authenticated, ...recipients]
    const key = JSON.stringify([ip.text, ...told])
    const before = known.get(key)
    if (before !== undefined) return before
    // All at once is the cheapest way to keep a bound that is seldom reached.
    if (known.size >= rememberedMax) known.clear()
    const opinion = judge(recorded)
    known.set(key, opinion)
    return opinion
  }
}

/** Records, and networks. */
const rememberedMax = 20_000

const nothing: Opinion = {
  weighed: [],
  sum: 0,
  fraction: 0,
  targetMs: 0,
  waits: [],
  delayMs: 0,
  whole: false,
  consequence: 'nothing',
}

function opinionOf(
  recorded: Recorded,
  found: readonly Finding[],
  setup: JudgeSetup,
  targets: Targets,
): Opinion {
  if (found.length === 0) return nothing
  const { judging, recipients, delay } = setup
  const targetMs = targets.of(recorded.ip.network)
  const addresses = recorded.recipients.length > 0 ? recorded.recipients : [unknownRecipient]
  const verdicts = addresses.map((address) => {
    const findings = findingsFor(found, splitAddress(address).domain, recipients)
    const consequences = consequencesOf(findings)
    return { findings, consequences, verdict: weigh(consequences.delay, judging.fullAt) }
  })
  const fractions = verdicts.map(({ verdict }) => verdict.fraction)
  const waits = waitsOf(recorded, { addresses, fractions, targetMs }, delay)
  const delayMs = waits.reduce((total, ms) => total + ms, 0)
  const fraction = Math.max(...fractions)
  const told = verdicts.find(({ verdict }) => verdict.fraction === fraction) ?? verdicts[0]
  return {
    weighed: (told?.findings ?? []).map((finding) => {
      const counted = told?.verdict.weighed.find((each) => each.finding === finding)
      return { finding, counts: counted?.counts ?? 0 }
    }),
    ...{ sum: told?.verdict.sum ?? 0, fraction, targetMs, waits, delayMs },
    whole: delayMs > 0 && fraction >= 1,
    consequence: hardest(
      verdicts.map(({ consequences }) => consequences),
      delayMs,
    ),
  }
}

/** The whole delay of each network, drawn once for a while: a keyed hash costs more than a look. */
class Targets {
  readonly #setup: Pick<JudgeSetup, 'key' | 'delay'>
  readonly #drawn = new Map<string, Ms>()

  constructor(setup: Pick<JudgeSetup, 'key' | 'delay'>) {
    this.#setup = setup
  }

  of(network: string): Ms {
    const known = this.#drawn.get(network)
    if (known !== undefined) return known
    if (this.#drawn.size >= rememberedMax) this.#drawn.clear()
    const drawn = targetFor(network, this.#setup.key, this.#setup.delay)
    this.#drawn.set(network, drawn)
    return drawn
  }
}

/** A connection whose recipients are not known is taken to have had one. */
const unknownRecipient = ''

function waitsOf(
  { sender }: Recorded,
  due: {
    readonly addresses: readonly string[]
    readonly fractions: readonly number[]
    readonly targetMs: Ms
  },
  options: DelayOptions,
): Ms[] {
  const { addresses, fractions, targetMs } = due
  const waits: Ms[] = []
  let waitedMs = 0
  let exempt = true
  for (const [index, address] of addresses.entries()) {
    exempt &&= options.never_for.includes(splitAddress(address).local.toLowerCase())
    const paid = options.scope !== 'recipient' && waitedMs > 0
    const fraction = fractions[index] ?? 0
    const nullSender = sender === ''
    const circumstances = { fraction, targetMs, waitedMs, nullSender, exempt, paid, lookupMs: 0 }
    const ms = waitDue(circumstances, options)
    waits.push(ms)
    waitedMs += ms
  }
  return waits
}

/** The key of a Treacle that has not run here yet: targets are in the same range, at other points. */
export const noKey = Buffer.alloc(32)

/** A client that endures its delay is not greylisted as well, so a greylisting is told of only alone. */
function hardest(consequences: readonly Consequences[], delayMs: Ms): Opinion['consequence'] {
  if (consequences.some(({ reject }) => reject.length > 0)) return 'reject'
  if (delayMs > 0) return 'delay'
  return consequences.some(({ greylist }) => greylist.length > 0) ? 'greylist' : 'nothing'
}
