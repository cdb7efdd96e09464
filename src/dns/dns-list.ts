/**
 * One DNS list of addresses (RFC 5782), such as the policy lists that say "a home connection".
 *
 * Lists die, are taken over by domain dealers who answer everything, and refuse those who ask too
 * much with an answer that looks like a listing. So a list must prove itself again and again, and
 * one that does not is set aside until it does. A DNS that is down proves nothing either way.
 */
import type { Clock, Instant, Ms } from '../core/clock.ts'
import { type Eventual, eventually } from '../core/eventual.ts'
import { type Ip, isPrivate, type Network, reverseLabels } from '../core/ip.ts'
import {
  askList,
  codeNetwork,
  domainPoints,
  ipv4Points,
  ipv6Points,
  isCodeIn,
  only,
  testList,
  type Verdict,
} from './list-zone.ts'
import { queryName } from './query-name.ts'
import { redactZone } from './redact-zone.ts'
import type { Answer, Dns } from './resolver.ts'

export interface DnsListSettings {
  readonly name: string
  /** What comes behind the reversed address. May hold a key: never in logs or replies. */
  readonly zone: string
  /** The answers that count, as "127.0.0.10" or "127.0.0.0/28"; [] for all of 127.0.0.0/8. */
  readonly codes: readonly string[]
  readonly ipv6: boolean
  /** What it lists. */
  readonly of: 'address' | 'domain'
}

/** A list that changed its state. One event for each change, not for each question. */
export interface DnsListEvent {
  readonly kind: 'set-aside' | 'in-use' | 'ipv6-off' | 'ipv6-on'
  readonly list: string
  /** Without the key. */
  readonly zone: string
  /** "" when all is well again. */
  readonly why: string
}

/** After an answer that is an error of the list, as long as SpamAssassin's dns_block_rule. */
const errorHoldMs: Ms = 300_000

type Fault = Exclude<Verdict, { kind: 'good' | 'unknown' }>

export class DnsList {
  readonly name: string
  readonly #settings: DnsListSettings
  readonly #codes: readonly Network[]
  readonly #dns: Dns
  readonly #clock: Clock
  readonly #report: (event: DnsListEvent) => void
  /** Why the list is not asked. */
  #fault: Fault | null = null
  /** When one lookup may find out whether an error is over. What is broken waits for a check. */
  #tryAgainAt: Instant = 0
  #ipv6Works = true

  /** @throws Error when one of `codes` is neither an address nor a network. */
  constructor(
    settings: DnsListSettings,
    { dns, clock, report }: { dns: Dns; clock: Clock; report: (event: DnsListEvent) => void },
  ) {
    this.name = settings.name
    this.#settings = settings
    this.#codes = settings.codes.map(codeNetwork)
    this.#dns = dns
    this.#clock = clock
    this.#report = report
  }

  /** Why the list is not in use; null while it is. */
  get setAside(): string | null {
    return this.#fault?.why ?? null
  }

  /** Whether IPv6 addresses are looked up. */
  get ipv6(): boolean {
    return this.#settings.ipv6 && this.#ipv6Works
  }

  /**
   * Looks up the address of a client.
   *
   * @param dns Whom to ask instead, such as one that counts for one connection.
   * @returns `found` with the codes that count, `none` when it is not listed or of no kind that is
   *   ever listed, `unavailable` when the DNS failed, or the list did.
   * @throws `signal.reason` as soon as `signal` aborts.
   */
  lookup(ip: Ip, signal: AbortSignal, dns = this.#dns): Eventual<Answer<string>> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (isPrivate(ip) || (ip.family === 6 && !this.ipv6)) return { kind: 'none' }
    return this.#ask(reverseLabels(ip), signal, dns)
  }

  #ask(labels: string, signal: AbortSignal, dns: Dns): Eventual<Answer<string>> {
    if (!this.#mayBeAsked()) return { kind: 'unavailable', why: `set aside: ${this.setAside}` }

    const isTrial = this.#fault !== null
    return eventually(askList(dns, this.#settings.zone, labels, signal), (answer) => {
      if (answer.kind === 'error') {
        this.#putAside(answer)
        return { kind: 'unavailable', why: answer.why }
      }
      if (isTrial) this.#endTrial(answer)
      return only(answer, (code) => this.#counts(code))
    })
  }

  /**
   * Looks up a name in a list of domains (RFC 5782 section 3).
   *
   * @returns As for `lookup`.
   * @throws `signal.reason` as soon as `signal` aborts.
   */
  lookupName(name: string, signal: AbortSignal, dns = this.#dns): Eventual<Answer<string>> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const asked = queryName(name)
    return asked === null ? { kind: 'none' } : this.#ask(asked, signal, dns)
  }

  /**
   * Tests the list (RFC 5782 section 5): 127.0.0.2 must be on it, 127.0.0.1 must not. When only the
   * test points of IPv6 fail, the list goes on for IPv4.
   *
   * @throws `signal.reason` as soon as `signal` aborts.
   */
  async check(signal: AbortSignal): Promise<void> {
    const { zone, ipv6, of } = this.#settings
    const points = of === 'domain' ? domainPoints : ipv4Points
    const verdict = await testList(this.#dns, zone, points, signal)
    if (verdict.kind === 'good') this.#takeBack()
    else if (verdict.kind !== 'unknown') this.#putAside(verdict)

    // Of a list that is broken as a whole, one half need not be told on top.
    if (!ipv6 || of === 'domain' || this.#fault?.kind === 'broken') return
    const ipv6Verdict = await testList(this.#dns, zone, ipv6Points, signal)
    if (ipv6Verdict.kind === 'good') this.#turnIpv6(true, '')
    else if (ipv6Verdict.kind !== 'unknown') this.#turnIpv6(false, ipv6Verdict.why)
  }

  /** True while the list is in use, and now and then for one lookup that tries it again. */
  #mayBeAsked(): boolean {
    if (this.#fault === null) return true
    if (this.#fault.kind === 'broken' || this.#clock.now() < this.#tryAgainAt) return false
    this.#tryAgainAt = this.#clock.now() + errorHoldMs
    return true
  }

  #endTrial(answer: Answer<string>): void {
    // A self-test may have failed meanwhile, and a DNS that is down proves nothing.
    if (this.#fault?.kind === 'error' && answer.kind !== 'unavailable') this.#takeBack()
  }

  #counts(code: string): boolean {
    return this.#codes.length === 0 || this.#codes.some((network) => isCodeIn(network, code))
  }

  #putAside(fault: Fault): void {
    const before = this.#fault
    // What only a good check may end is not made lighter by an error on top of it.
    if (before?.kind !== 'broken') this.#fault = fault
    this.#tryAgainAt = this.#clock.now() + errorHoldMs
    if (before === null) this.#tell('set-aside', fault.why)
  }

  #takeBack(): void {
    if (this.#fault === null) return
    this.#fault = null
    this.#tell('in-use', '')
  }

  #turnIpv6(works: boolean, why: string): void {
    if (this.#ipv6Works === works) return
    this.#ipv6Works = works
    this.#tell(works ? 'ipv6-on' : 'ipv6-off', why)
  }

  #tell(kind: DnsListEvent['kind'], why: string): void {
    this.#report({ kind, list: this.name, zone: redactZone(this.#settings.zone), why })
  }
}

/**
 * Tests all lists now and then every `everyMs`, until `signal` aborts; ends quietly then.
 */
export async function runListChecks(
  lists: readonly DnsList[],
  clock: Clock,
  { everyMs }: { everyMs: Ms },
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await Promise.all(lists.map((list) => list.check(signal)))
      await clock.sleep(everyMs, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
