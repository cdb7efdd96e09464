/**
 * What a reason is: one observation about a client that may make it wait.
 *
 * A reason is a function of its facts. It knows no time, no socket and no consequence: it says what
 * it saw, or null. Each is one file, so that adding one is a file, a line in index.ts and a test.
 */
import { z } from 'zod'
import type { Sender } from '../core/envelope.ts'
import type { Eventual } from '../core/eventual.ts'
import type { HostList } from '../core/host-list.ts'
import type { Ip } from '../core/ip.ts'
import { type Action, actions, type Stage } from '../core/ledger.ts'
import type { DnsList, DnsListSettings } from '../dns/dns-list.ts'
import type { Dns } from '../dns/resolver.ts'
import type { Identity } from '../dns/reverse.ts'
import type { Botnet } from './botnet.ts'

/** Known as soon as the client has connected. */
export interface ConnectFacts {
  readonly client: Ip
  /** The address of ours that it has reached. */
  readonly local: string
  /** Connections from its network at once, this one included. */
  readonly fromNetwork: number
  /** True when the address is not the client's own: then what it says of the client is nothing. */
  readonly addressHidden: boolean
  /** Whether its network was here before; null when nobody remembers. */
  readonly seenBefore: boolean | null
}

/** Known when the greet pause is over. */
export interface GreetingFacts extends ConnectFacts {
  /** What it sent before our greeting; null when it waited for that as it should. */
  readonly earlyTalk: string | null
}

/** Known after HELO or EHLO. */
export interface HeloFacts extends ConnectFacts {
  /** As the client spelt it. */
  readonly helo: string
  /** What it called itself before on this connection; null when this is the first time. */
  readonly heloBefore: string | null
  /** Whether the connection is under TLS. */
  readonly secure: boolean
}

/** Known after MAIL. */
export interface MailFacts extends HeloFacts {
  readonly sender: Sender
}

/** Known at RCPT. */
export interface RcptFacts extends MailFacts {
  readonly recipient: string
  /** Recipients of this message so far, this one included. */
  readonly recipientCount: number
  /** Recipients that the back end has refused for good on this connection. */
  readonly refusedCount: number
  /** The command whose reply the client did not wait for; null when it always has. */
  readonly tooSoon: string | null
}

export interface FactsAt {
  readonly connect: ConnectFacts
  readonly greeting: GreetingFacts
  readonly helo: HeloFacts
  readonly mail: MailFacts
  readonly rcpt: RcptFacts
}

/** What reasons may use to find out more. */
export interface Tools {
  readonly dns: Dns
  /** The client's names in DNS; asked once for all reasons of a connection. */
  readonly identify: () => Eventual<Identity>
  readonly signal: AbortSignal
}

/** What all reasons share: lists that the operator keeps, and the taste of 2004. */
export interface Shared {
  /** Hosts whose HELO is nobody's business (the recipe's helo_accept_junk_hosts). */
  readonly acceptJunkHelo: HostList
  readonly flavellExact: boolean
  readonly botnet: Botnet
  /** Reasons that are wanted for mail to some domain, though they may be off for the rest. */
  readonly wanted: ReadonlySet<string>
  /** What we call ourselves, in lower case. */
  readonly ownName: string
  /** Opens a DNS list, which is tested at start and from time to time for as long as it is used. */
  readonly openList: OpenList
  /** The names in a list file, in lower case. */
  readonly names: (file: string) => ReadonlySet<string>
}

export type OpenList = (settings: DnsListSettings) => DnsList

export type Evidence = string | null

/** A reason as it is defined, before it has been configured. */
export interface ReasonDefinition<
  S extends Stage = Stage,
  O extends z.ZodType<ReasonOptions> = z.ZodType<ReasonOptions>,
> {
  /** Never changes; logs and scripts know it by this. */
  readonly name: string
  readonly stage: S
  readonly summary: string
  readonly source: string
  readonly options: O
  /** The reasons that it excuses, "*" for all; its weight is then taken away instead of added. */
  readonly excuses?: readonly string[]
  /** Prepares the reason for its options, once. */
  readonly prepare: (options: z.infer<O>, shared: Shared) => PreparedReason<S>
}

export interface PreparedReason<S extends Stage> {
  readonly find: (facts: FactsAt[S], tools: Tools) => Eventual<Evidence>
  /** A header line for filters behind the back end, when the reason is found. */
  readonly header?: (facts: FactsAt[S]) => string
}

export interface ReasonOptions {
  readonly action: Action
  readonly weight: number
}

/** A reason that is in use. */
export interface Reason<S extends Stage = Stage> {
  readonly name: string
  readonly stage: S
  readonly action: Exclude<Action, 'off'>
  readonly weight: number
  /** The reasons that it excuses, "*" for all; none for what speaks against the client. */
  readonly excuses: readonly string[]
  readonly find: (facts: FactsAt[S], tools: Tools) => Eventual<Evidence>
  readonly header: (facts: FactsAt[S]) => string | null
}

/** A reason of some stage or other. */
export type AnyReason = { readonly [S in Stage]: Reason<S> }[Stage]

/** The settings that every reason has. Ten is the whole delay, as long as delay.full_at is. */
export function reasonOptions<Own extends z.ZodRawShape>(
  { weight, action = 'delay' }: { readonly weight: number; readonly action?: Action },
  own: Own,
) {
  return z.strictObject({ action: actionOption(action), weight: weightOption(weight), ...own })
}

function actionOption(byDefault: Action) {
  return z
    .enum(actions)
    .default(byDefault)
    .describe(
      '"delay" makes clients wait, "observe" only writes down what was found, "off" does not look. ' +
        '"greylist" has those try again later who did not wait, "reject" refuses.',
    )
}

function weightOption(byDefault: number) {
  return z
    .number()
    .min(0)
    .max(1_000)
    .default(byDefault)
    .describe('What it adds to the sum that delay.full_at is about.')
}

/** Names the type parameters of a definition, and nothing else. */
export function defineReason<S extends Stage, O extends z.ZodType<ReasonOptions>>(
  definition: ReasonDefinition<S, O>,
): ReasonDefinition<S, O> {
  return definition
}
