/**
 * What is found out about one client, stage by stage, while it goes about its business.
 *
 * Looking begins as soon as the facts of a stage are known and goes on in the background; whoever
 * wants the findings waits for them. Nothing here has a consequence.
 */
import { type Client, mayBeFriend } from '../core/client.ts'
import type { Sender } from '../core/envelope.ts'
import { allOf, type Eventual, eventually } from '../core/eventual.ts'
import type { HostList } from '../core/host-list.ts'
import { isPrivate } from '../core/ip.ts'
import type { Leaving } from '../core/leaving.ts'
import type { Finding, Stage } from '../core/ledger.ts'
import { CountedDns } from '../dns/counted.ts'
import type { Dns } from '../dns/resolver.ts'
import type { Identity } from '../dns/reverse.ts'
import type { ReasonsAt } from '../reasons/index.ts'
import { look, type Watch } from '../reasons/look.ts'
import type { ConnectFacts, FactsAt, HeloFacts, MailFacts, Reason } from '../reasons/reason.ts'
import { hiddenIdentity, Identifying } from './identifying.ts'
import { LentTools } from './lent-tools.ts'

export interface ScreeningParts {
  readonly dns: Dns
  readonly reasons: ReasonsAt
  readonly watch: Watch
  /** Whom reasons apply to; null for everybody. */
  readonly screened: HostList | null
  /** Who never waits. */
  readonly knownGood: HostList
  /** Questions to the DNS that one connection may ask. */
  readonly lookupsMax: number
}

/** What the door knows of a client that it lets in. */
export interface Arrival {
  /** Connections from its network at once, this one included. */
  readonly fromNetwork: number
  /** The address is not the client's own, and nobody is to be judged by it. */
  readonly addressHidden: boolean
  /** A gateway or a proxy may have given it the address, for all we know. */
  readonly addressDoubted: boolean
  /** Whether its network was here before; null when nobody remembers. */
  readonly seenBefore: boolean | null
}

/** What the session knows of the recipients so far. */
export interface Course {
  readonly recipientCount: number
  readonly refusedCount: number
}

export class Screening {
  readonly #client: Client
  readonly #parts: ScreeningParts
  readonly #leaving: Leaving
  readonly #identifying = new Identifying()
  readonly #dns: CountedDns
  readonly #arrival: Arrival
  #heloFacts: HeloFacts | null = null
  #mailFacts: MailFacts | null = null
  #heloBefore: string | null = null
  #secure = false
  #tooSoon: string | null = null
  /** Findings of each stage, looked for from the moment its facts are known. */
  #connect: Eventual<readonly Finding[]> = nothing
  #greeting: Eventual<readonly Finding[]> = nothing
  #hello: Eventual<readonly Finding[]> = nothing
  #mail: Eventual<readonly Finding[]> = nothing
  /** What has been found before HELO, without waiting for more. */
  readonly foundSoFar: Finding[] = []

  constructor(client: Client, parts: ScreeningParts, arrival: Arrival, leaving: Leaving) {
    this.#client = client
    this.#parts = parts
    this.#leaving = leaving
    this.#dns = new CountedDns(parts.dns, parts.lookupsMax, this)
    this.#arrival = arrival
  }

  get #connectFacts(): ConnectFacts {
    const { ip, local } = this.#client
    return { client: ip, local: local.address, ...this.#arrival }
  }

  /** Questions to the DNS so far. */
  get lookupCount(): number {
    return this.#dns.count
  }

  /** The client's names, as far as they are known by now. */
  get identity(): Identity | null {
    return this.#identifying.identity
  }

  /** The client's names; asked once, and `unavailable` when that takes longer than a reason may. */
  identify(): Eventual<Identity> {
    if (this.addressHidden) return hiddenIdentity
    if (this.identity !== null) return this.identity
    const parts = { ...this.#parts.watch, dns: this.#dns }
    return this.#identifying.names(this.#client.ip, this.#leaving, parts)
  }

  /** True when the address is not the client's own. */
  get addressHidden(): boolean {
    return this.#arrival.addressHidden
  }

  /** The client has connected. */
  arrived(): void {
    // Whatever is known by now is known of the address.
    if (this.addressHidden) return
    void this.identify()
    this.#connect = this.#look(this.#parts.reasons.connect, this.#connectFacts)
    void quietly(eventually(this.#connect, (found) => void this.foundSoFar.push(...found)))
  }

  /** The greet pause is over; `earlyTalk` is what the client said in it. */
  greeted(earlyTalk: string | null): void {
    this.#greeting = this.#look(this.#parts.reasons.greeting, {
      ...this.#connectFacts,
      earlyTalk,
    })
  }

  /** The client has said who it is; what was found about another name no longer counts. */
  hello(helo: string): void {
    const [heloBefore, secure] = [this.#heloBefore, this.#secure]
    const facts = { ...this.#connectFacts, helo, heloBefore, secure }
    this.#heloBefore = helo
    this.#heloFacts = facts
    this.#hello = this.#look(this.#parts.reasons.helo, facts)
    this.#mail = nothing
  }

  /** The connection is under TLS now. */
  secured(): void {
    this.#secure = true
  }

  /** The client did not wait for the reply to this command. */
  talkedTooSoon(command: string): void {
    this.#tooSoon ??= command
  }

  mail(sender: Sender): void {
    const helo = this.#heloFacts ?? { ...this.#connectFacts, ...noHelo }
    const facts = { ...helo, sender }
    this.#mailFacts = facts
    const before = allOf([this.#connect, this.#greeting, this.#hello])
    const reasons = this.#parts.reasons.mail
    this.#mail = quietly(
      eventually(before, (found) => this.#look(mayBeExcused(reasons, together(found)), facts)),
    )
  }

  /**
   * All that speaks against this client giving this recipient.
   *
   * @throws why the client is gone, when it is.
   */
  findings(recipient: string, course: Course): Eventual<readonly Finding[]> {
    if (this.#mailFacts === null) return nothing
    const { recipientCount, refusedCount } = course
    const tooSoon = this.#tooSoon
    const facts = { ...this.#mailFacts, recipient, recipientCount, refusedCount, tooSoon }
    const rcpt = this.#look(this.#parts.reasons.rcpt, facts)
    const stages = allOf([this.#connect, this.#greeting, this.#hello, this.#mail, rcpt])
    return eventually(stages, (found) =>
      eventually(this.identify(), () => (this.#applies() ? together(found) : nothing)),
    )
  }

  /** True for clients that never wait, by address or by confirmed name. */
  isKnownGood(): boolean {
    const mayBe = !this.addressHidden && mayBeFriend(this.#client)
    return mayBe && this.#isOn(this.#parts.knownGood)
  }

  /**
   * Whether the back end may be told this address. It may trust a private one as a neighbour's, and
   * relay for it. Where the whole world may have got it from a gateway or a proxy, only the operator
   * can say that it is a neighbour's.
   */
  get mayBeTold(): boolean {
    const { ip } = this.#client
    if (!isPrivate(ip) || !this.#arrival.addressDoubted) return true
    const mayBe = !this.addressHidden && mayBeFriend(this.#client)
    return mayBe && this.#parts.knownGood.matches({ ip, name: null })
  }

  #look<S extends Stage>(
    reasons: readonly Reason<S>[],
    facts: FactsAt[S],
  ): Eventual<readonly Finding[]> {
    if (reasons.length === 0) return nothing
    const { watch } = this.#parts
    const dns = this.#dns
    const identify = () => this.identify()
    return quietly<readonly Finding[]>(
      this.#leaving.during((lent) =>
        look(reasons, facts, new LentTools(dns, identify, lent), watch),
      ),
    )
  }

  /** The connection has asked the DNS as often as it may. */
  spent(): void {
    this.#parts.watch.log.event('lookups.spent', { client: this.#client.ip.text })
  }

  #applies(): boolean {
    const { screened } = this.#parts
    return !this.isKnownGood() && (screened === null || this.addressHidden || this.#isOn(screened))
  }

  #isOn(list: HostList): boolean {
    const { ip } = this.#client
    const names = this.identity?.confirmed ?? []
    if (names.length === 0) return list.matches({ ip, name: null })
    return names.some((name) => list.matches({ ip, name }))
  }
}

/** What the reasons of HELO go by when there was none. */
const noHelo = { helo: '', heloBefore: null, secure: false }

const nothing: readonly Finding[] = []

/** All that the stages have found. Most clients give reasons at one at the most. */
function together(stages: readonly (readonly Finding[])[]): readonly Finding[] {
  const [only = nothing, ...others] = stages.filter(({ length }) => length > 0)
  return others.length === 0 ? only : [only, ...others].flat()
}

/** Excuses cost look-ups, so they are looked for only when there is something to excuse. */
function mayBeExcused(
  reasons: readonly Reason<'mail'>[],
  found: readonly Finding[],
): readonly Reason<'mail'>[] {
  const excused = (name: string) => found.some(({ reason }) => name === '*' || name === reason)
  return reasons.filter(({ excuses }) => excuses.length === 0 || excuses.some(excused))
}

/** A client that leaves ends its look-ups, and nobody may be there to hear of it. */
function quietly<T>(value: Eventual<T>): Eventual<T> {
  if (value instanceof Promise) value.catch(() => {})
  return value
}
