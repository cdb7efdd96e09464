/** Who is let in, by counts alone: so many at once in all, from one address, from one network. */
import type { Ip } from '../core/ip.ts'
import type { GateLimits } from './limits.ts'

export class Admission {
  #count = 0
  readonly #byAddress = new Map<string, number>()
  readonly #byNetwork = new Map<string, number>()

  /** How many are in. */
  get count(): number {
    return this.#count
  }

  /** How many addresses and networks are remembered: none without somebody who is in. */
  get remembered(): number {
    return this.#byAddress.size + this.#byNetwork.size
  }

  /** @returns null when the client is in, to be let out with `leave`; else which limit was reached. */
  enter({ text, network }: Ip, limits: GateLimits): string | null {
    const fromAddress = this.#byAddress.get(text) ?? 0
    const fromNetwork = this.#byNetwork.get(network) ?? 0
    if (this.#count >= limits.connections_max) return 'too many connections'
    if (fromAddress >= limits.per_address_max) return `too many connections from ${text}`
    if (fromNetwork >= limits.per_network_max) return `too many connections from ${network}`
    this.#count += 1
    this.#byAddress.set(text, fromAddress + 1)
    this.#byNetwork.set(network, fromNetwork + 1)
    return null
  }

  /** How many are in from the network of an address. */
  fromNetwork({ network }: Ip): number {
    return this.#byNetwork.get(network) ?? 0
  }

  /** Somebody is in who has yet to say who he is: he counts, but for no address. Out by `leaveUnknown`. */
  enterUnknown(limits: GateLimits): string | null {
    if (this.#count >= limits.connections_max) return 'too many connections'
    this.#count += 1
    return null
  }

  leaveUnknown(): void {
    this.#count -= 1
  }

  leave({ text, network }: Ip): void {
    this.#count -= 1
    countDown(this.#byAddress, text)
    countDown(this.#byNetwork, network)
  }
}

function countDown(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 1) - 1
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
