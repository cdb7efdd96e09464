/**
 * The DNS for one connection: counts its questions, and answers no more than so many.
 *
 * What a stranger says (names of his address, HELO, sender) decides what is asked, so the number
 * needs a bound. A question beyond it is `unavailable`, which proves nothing.
 */
import type { Eventual } from '../core/eventual.ts'
import type { Ip } from '../core/ip.ts'
import type { Answer, Dns } from './resolver.ts'

export class CountedDns implements Dns {
  readonly #dns: Dns
  readonly #max: number
  readonly #owner: { spent(): void }
  #count = 0

  /** @param owner Is told once, when the bound is reached and more is asked. */
  constructor(dns: Dns, max: number, owner: { spent(): void }) {
    this.#dns = dns
    this.#max = max
    this.#owner = owner
  }

  /** Questions so far, those that were not answered any more included. */
  get count(): number {
    return this.#count
  }

  addresses(name: string, family: 4 | 6, signal: AbortSignal): Eventual<Answer<string>> {
    return this.#isSpent() ? this.#noMore() : this.#dns.addresses(name, family, signal)
  }

  pointers(ip: Ip, signal: AbortSignal): Eventual<Answer<string>> {
    return this.#isSpent() ? this.#noMore() : this.#dns.pointers(ip, signal)
  }

  texts(name: string, signal: AbortSignal): Eventual<Answer<string>> {
    return this.#isSpent() ? this.#noMore() : this.#dns.texts(name, signal)
  }

  exchanges(name: string, signal: AbortSignal): Eventual<Answer<string>> {
    return this.#isSpent() ? this.#noMore() : this.#dns.exchanges(name, signal)
  }

  #isSpent(): boolean {
    this.#count += 1
    if (this.#count === this.#max + 1) this.#owner.spent()
    return this.#count > this.#max
  }

  #noMore(): Answer<string> {
    return { kind: 'unavailable', why: `more than ${this.#max} look-ups for one connection` }
  }
}
