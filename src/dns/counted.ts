/**
 * The DNS for one connection: counts its questions, and answers no more than so many.
 *
 * What a stranger says (names of his address, HELO, sender) decides what is asked, so the number
 * needs a bound. A question beyond it is `unavailable`, which proves nothing.
 */
import type { Answer, Dns } from './resolver.ts'

export class CountedDns implements Dns {
  readonly #dns: Dns
  readonly #max: number
  readonly #onSpent: () => void
  #count = 0

  /** @param onSpent Called once, when the bound is reached and more is asked. */
  constructor(dns: Dns, max: number, onSpent: () => void) {
    this.#dns = dns
    this.#max = max
    this.#onSpent = onSpent
  }

  /** Questions so far, those that were not answered any more included. */
  get count(): number {
    return this.#count
  }

  addresses: Dns['addresses'] = (name, family, signal) =>
    this.#ask(() => this.#dns.addresses(name, family, signal))

  pointers: Dns['pointers'] = (ip, signal) => this.#ask(() => this.#dns.pointers(ip, signal))

  texts: Dns['texts'] = (name, signal) => this.#ask(() => this.#dns.texts(name, signal))

  exchanges: Dns['exchanges'] = (name, signal) => this.#ask(() => this.#dns.exchanges(name, signal))

  async #ask(question: () => Promise<Answer<string>>): Promise<Answer<string>> {
    this.#count += 1
    if (this.#count <= this.#max) return await question()
    if (this.#count === this.#max + 1) this.#onSpent()
    return { kind: 'unavailable', why: `more than ${this.#max} look-ups for one connection` }
  }
}
