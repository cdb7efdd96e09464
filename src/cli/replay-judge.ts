/**
 * What Treacle would make of a connection that a file tells of: findings, and the delay they cost.
 *
 * The judging is that of a live connection (session/judge.ts). Here the record is handed to it, and
 * its verdict is turned into time, recipient by recipient, as a session would.
 */
import type { Ms } from '../core/clock.ts'
import { splitAddress } from '../core/envelope.ts'
import type { Action } from '../core/ledger.ts'
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
  return async (recorded) => {
    if (recorded.authenticated) return nothing
    const [recipient = null] = recorded.recipients
    const nameState = recorded.nameState === 'unknown' ? unknownAs : recorded.nameState
    const hearsay: Hearsay = { ...recorded, nameState, recipient }
    // One signal for all would have a listener of each reason of each connection.
    const { signal } = new AbortController()
    const verdict = await judge(hearsay, judging, dns === null ? { signal } : { dns, signal })
    return opinionOf(recorded, verdict.weighed, setup)
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

/** What is only observed is told of and counts for nothing. */
function opinionOf(
  recorded: Recorded,
  found: readonly Weighed[],
  { judging, delay, key }: JudgeSetup,
): Opinion {
  if (found.length === 0) return nothing
  const counting = found.map(({ finding }) => finding).filter(({ action }) => action !== 'observe')
  const { weighed, sum, fraction } = weigh(counting, judging.fullAt)
  const targetMs = targetFor(recorded.ip.network, key, delay)
  const waits = waitsOf(recorded, { fraction, targetMs }, delay)
  const delayMs = waits.reduce((total, ms) => total + ms, 0)
  const observed = found.filter(({ finding }) => finding.action === 'observe')
  return {
    weighed: [...weighed, ...observed.map(({ finding }) => ({ finding, counts: 0 }))],
    ...{ sum, fraction, targetMs, waits, delayMs },
    whole: delayMs > 0 && fraction >= 1,
    consequence: consequenceOf(weighed, delayMs),
  }
}

/** A connection whose recipients are not known is taken to have had one. */
function waitsOf(
  { sender, recipients }: Recorded,
  due: { readonly fraction: number; readonly targetMs: Ms },
  options: DelayOptions,
): Ms[] {
  const waits: Ms[] = []
  let waitedMs = 0
  let exempt = recipients.length > 0
  for (const recipient of recipients.length > 0 ? recipients : ['']) {
    exempt &&= options.never_for.includes(splitAddress(recipient).local.toLowerCase())
    const paid = options.scope !== 'recipient' && waitedMs > 0
    const circumstances = { ...due, waitedMs, nullSender: sender === '', exempt, paid }
    const ms = waitDue({ ...circumstances, lookupMs: 0 }, options)
    waits.push(ms)
    waitedMs += ms
  }
  return waits
}

/** The key of a Treacle that has not run here yet: targets are in the same range, at other points. */
export const noKey = Buffer.alloc(32)

function consequenceOf(weighed: readonly Weighed[], delayMs: Ms): Opinion['consequence'] {
  const actions = weighed.filter(({ counts }) => counts > 0).map(({ finding }) => finding.action)
  if (actions.includes('reject')) return 'reject'
  if (actions.includes('greylist')) return 'greylist'
  return delayMs > 0 ? 'delay' : 'nothing'
}
