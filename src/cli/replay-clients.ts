/**
 * Counting distinct clients in little memory: each gets a number when it is first seen, and whatever
 * counts clients keeps one bit for each number.
 */
import type { Recorded } from './read-record.ts'

/** How often something was so, and of how many different clients. */
export interface Count {
  readonly connections: number
  readonly clients: number
}

/** More are not counted: a Map would end in an error at four times this. */
const clientsMax = 4_000_000

/** A client is an address with its name and its HELO. */
export class ClientNumbers {
  readonly #numbers = new Map<number, number>()

  /** The number of a client, from 0; -1 when there are too many. */
  of({ ip, name, helo }: Pick<Recorded, 'ip' | 'name' | 'helo'>): number {
    const hash = hashOf(`${ip.text} ${name} ${helo}`)
    const known = this.#numbers.get(hash)
    if (known !== undefined) return known
    if (this.#numbers.size >= clientsMax) return -1
    const number = this.#numbers.size
    this.#numbers.set(hash, number)
    return number
  }
}

export class Hits {
  #connections = 0
  #clients = 0
  #seen = new Uint8Array(16)

  /** @param client Its number. */
  add(client: number): void {
    this.#connections += 1
    if (client < 0) return
    const [index, bit] = [client >> 3, 1 << (client & 7)]
    if (index >= this.#seen.length) this.#grow(index)
    const byte = this.#seen[index] ?? 0
    if ((byte & bit) !== 0) return
    this.#seen[index] = byte | bit
    this.#clients += 1
  }

  get count(): Count {
    return { connections: this.#connections, clients: this.#clients }
  }

  #grow(index: number): void {
    const larger = new Uint8Array(2 * (index + 1))
    larger.set(this.#seen)
    this.#seen = larger
  }
}

/**
 * A number of 53 bits for a text: two clients in a log of a million share one with a chance of one
 * in ten thousand, which costs a count of one.
 */
export function hashOf(text: string): number {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    high = Math.imul(high ^ code, 2_654_435_761)
    low = Math.imul(low ^ code, 1_597_334_677)
  }
  high = mixed(high, low)
  low = mixed(low, high)
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0)
}

function mixed(one: number, other: number): number {
  return (
    Math.imul(one ^ (one >>> 16), 2_246_822_507) ^ Math.imul(other ^ (other >>> 13), 3_266_489_909)
  )
}
