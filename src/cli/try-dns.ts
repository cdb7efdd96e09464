/** DNS for a trial: what the operator told is answered from that, and every question is noted. */
import type { Clock, Ms } from '../core/clock.ts'
import type { Eventual } from '../core/eventual.ts'
import type { Ip } from '../core/ip.ts'
import { redactZone } from '../dns/redact-zone.ts'
import type { Answer, Dns } from '../dns/resolver.ts'

/** A question and its answer. */
export interface LookUp {
  /** "A", "AAAA", "PTR", "TXT" or "MX". */
  readonly type: string
  /** Keys of paid lists are left out. */
  readonly name: string
  readonly answer: Answer<string>
  readonly tookMs: Ms
}

/** Notes what is asked of another. */
export class NotingDns implements Dns {
  readonly lookUps: LookUp[] = []
  readonly #clock: Clock
  readonly #dns: Dns

  /** Names that no zone of a list can be hidden in: the client's own, and what they lead to. */
  readonly #open: Set<string>

  /** @param names What the client is told to be called. */
  constructor(clock: Clock, dns: Dns, names: readonly string[]) {
    this.#clock = clock
    this.#dns = dns
    this.#open = new Set(names.map((name) => name.toLowerCase()))
  }

  addresses: Dns['addresses'] = (name, family, signal) =>
    this.#note(family === 4 ? 'A' : 'AAAA', name, this.#dns.addresses(name, family, signal))

  pointers: Dns['pointers'] = (ip, signal) =>
    this.#note('PTR', ip.text, this.#dns.pointers(ip, signal))

  texts: Dns['texts'] = (name, signal) => this.#note('TXT', name, this.#dns.texts(name, signal))

  exchanges: Dns['exchanges'] = (name, signal) =>
    this.#note('MX', name, this.#dns.exchanges(name, signal))

  async #note(
    type: string,
    name: string,
    asked: Eventual<Answer<string>>,
  ): Promise<Answer<string>> {
    const startedAt = this.#clock.now()
    const answer = await asked
    const tookMs = Math.round(this.#clock.now() - startedAt)
    if ((type === 'PTR' || type === 'MX') && answer.kind === 'found') {
      for (const found of answer.records) this.#open.add(found.toLowerCase())
    }
    const shown = type === 'PTR' || this.#open.has(name.toLowerCase()) ? name : redactZone(name)
    this.lookUps.push({ type, name: shown, answer, tookMs })
    return answer
  }
}

/** The name of one address, and whether it leads back, by what was told; the rest by another. */
export function withTold(told: Dns, { ip, name }: { ip: Ip; name: string }, other: Dns): Dns {
  return {
    addresses: (asked, family, signal) =>
      name !== '' && asked.toLowerCase() === name
        ? told.addresses(asked, family, signal)
        : other.addresses(asked, family, signal),
    pointers: (asked, signal) =>
      asked.text === ip.text ? told.pointers(asked, signal) : other.pointers(asked, signal),
    texts: (asked, signal) => other.texts(asked, signal),
    exchanges: (asked, signal) => other.exchanges(asked, signal),
  }
}
