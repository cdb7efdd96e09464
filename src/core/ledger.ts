/**
 * The ledger of one connection: what cost the client time, and what came of it.
 *
 * Log lines, metrics and reports are renderings of it. It is filled in by the gate and the session,
 * and closed exactly once.
 */
import type { Ms } from './clock.ts'

/** When the facts that a reason needs are known. */
export type Stage = 'connect' | 'greeting' | 'helo' | 'mail' | 'rcpt'

/** What a reason that was found leads to. */
export const actions = ['off', 'observe', 'delay', 'greylist', 'reject'] as const

export type Action = (typeof actions)[number]

/** A reason that was found, and what gave it away. */
export interface Finding {
  readonly reason: string
  readonly stage: Stage
  readonly evidence: string
  readonly action: Exclude<Action, 'off'>
  /** What it adds to the sum that earns the whole delay; an excuse takes this much away instead. */
  readonly weight: number
  /** The reasons that it excuses, "*" for all; none for what speaks against the client. */
  readonly excuses: readonly string[]
  /** A header line that tells what was found to filters behind the back end, e.g. "X-HELO-warning: ...". */
  readonly header: string | null
}

/** A reason in an entry, with the part of its weight that counted. */
export interface Counted {
  readonly name: string
  readonly evidence: string
  readonly weight: number
}

/** What the client did about a wait. */
export type Reaction =
  /** It waited to the end. */
  | 'waited'
  /** It hung up while waiting. */
  | 'left'
  /** It sent something it should not have. */
  | 'talked'
  /** We cut the wait: slots, shutdown, or it turned out to be a known-good client. */
  | 'released'

/** One thing that cost the client time. */
export interface Entry {
  readonly stage: 'greeting' | 'login' | 'rcpt'
  readonly reasons: readonly Counted[]
  /** What spoke for the client, with what it could take away. */
  readonly excuses: readonly Counted[]
  /** What the whole reply was to take. */
  readonly targetMs: Ms
  /** What looking had taken of it already. */
  readonly lookupMs: Ms
  /** What was left to wait; in observe mode, what would have been. */
  readonly plannedMs: Ms
  /** What the client did wait. */
  readonly waitedMs: Ms
  readonly reaction: Reaction
  /** True when nobody was made to wait (mode = "observe"). */
  readonly observed: boolean
}

/** One message, or the attempt at one. */
export interface Transaction {
  readonly sender: string
  readonly recipients: { readonly address: string; readonly reply: string }[]
  /** Bytes of content that the client sent. */
  bytes: number
  /** The final reply; "" when it never came to that. */
  reply: string
}

/** How a connection ended. */
export type Outcome =
  /** The back end took at least one message. */
  | 'accepted'
  /** The last word on mail was a refusal of the back end. */
  | 'refused'
  /** We turned it away ourselves: too many connections, early talk, shutdown, limits. */
  | 'turned-away'
  /** It hung up in the middle of a wait. */
  | 'left'
  /** It went without having tried to send anything. */
  | 'nothing'

export interface Ledger {
  readonly id: string
  /** Time of day of the accept, ISO 8601. */
  readonly startedAt: string
  readonly client: string
  readonly port: number
  /** All that was found, whatever came of it; each once, no more than 100. */
  readonly findings: Finding[]
  /** True when the address is that of something which hides the client's; nobody was judged by it. */
  addressHidden: boolean
  /** How many recipients were answered 4yz or 5yz; no more than the first 1,000 of them are listed. */
  notTakenCount: number
  /** Questions to the DNS that the reasons of this connection have asked. */
  lookupCount: number
  /** The forward-confirmed name; "" while unknown. */
  hostname: string
  /** HELO as the client spelt it last. */
  helo: string
  protocol: string
  login: string
  readonly entries: Entry[]
  readonly transactions: Transaction[]
  outcome: Outcome
  /** Why we ended it, where we did. */
  reason: string
  /** How long the connection lasted. */
  durationMs: Ms
}

export function openLedger(id: string, startedAt: Date, client: string, port: number): Ledger {
  return {
    id,
    startedAt: startedAt.toISOString(),
    client,
    port,
    hostname: '',
    helo: '',
    protocol: '',
    login: '',
    entries: [],
    findings: [],
    addressHidden: false,
    lookupCount: 0,
    notTakenCount: 0,
    transactions: [],
    outcome: 'nothing',
    reason: '',
    durationMs: 0,
  }
}

/** Writes down what came of a recipient. */
export function noteRecipient(
  ledger: Ledger,
  transaction: Transaction,
  recipient: Transaction['recipients'][number],
): void {
  const isNotTaken = !recipient.reply.startsWith('2')
  if (isNotTaken) ledger.notTakenCount += 1
  if (!isNotTaken || ledger.notTakenCount <= notTakenMax) transaction.recipients.push(recipient)
}

/** A line of a log has to end somewhere. */
const notTakenMax = 1_000

/** How the connection ended, as its transactions and waits tell. */
export function outcomeOf({ transactions, entries, reason }: Ledger): Outcome {
  if (transactions.some(({ reply }) => reply.startsWith('2'))) return 'accepted'
  if (entries.some(({ reaction }) => reaction === 'left')) return 'left'
  if (reason !== '') return 'turned-away'
  const refusals = transactions.flatMap(({ recipients, reply }) => [
    reply,
    ...recipients.map((recipient) => recipient.reply),
  ])
  return refusals.some((text) => /^[45]/.test(text)) ? 'refused' : 'nothing'
}
