/**
 * Who is let in, by counts alone: how many are in at once, in all and from one address, network or
 * site, and how fast new ones come.
 *
 * Asked before anything else, so that whoever is over a limit costs no wait and no look-up. Who is
 * sent away is not counted: a client that goes on trying gets in as often as the limit says.
 */
import type { Clock } from '../core/clock.ts'
import { type Ip, siteOf } from '../core/ip.ts'
import type { GateLimits } from './limits.ts'
import { Rate } from './rate.ts'

/** Who wants in, and what is known of him. */
export interface Arriving {
  readonly ip: Ip
  /** May take one of the places that are kept for friends. */
  readonly knownGood: boolean
  /** The address is that of something which many come through, so its limits are not his. */
  readonly shared: boolean
}

const minuteMs = 60_000
/** Addresses, and networks, whose rate is remembered; so many at twice a hundred bytes each. */
const ratesMax = 50_000

export class Admission {
  #count = 0
  /** Who is in, by address, network and site, in one map: none is spelt like another. */
  readonly #from = new Map<string, number>()
  readonly #rate: Rate

  constructor(clock: Clock) {
    this.#rate = new Rate(clock, { windowMs: minuteMs, keysMax: ratesMax })
  }

  /** How many are in. */
  get count(): number {
    return this.#count
  }

  /** How many addresses, networks and sites are counted: none without somebody who is in. */
  get remembered(): number {
    return this.#from.size
  }

  /** @returns null when the client is in, to be let out with `leave`; else which limit was reached. */
  enter({ ip, knownGood, shared }: Arriving, limits: GateLimits): string | null {
    const places = limits.connections_max - (knownGood ? 0 : limits.reserved)
    if (this.#count >= places) return 'too many connections'
    const full = shared ? null : this.#fullFor(ip, limits)
    if (full !== null) return full
    this.#count += 1
    for (const key of keysOf(ip)) this.#from.set(key, (this.#from.get(key) ?? 0) + 1)
    this.#rate.add(ip.text)
    this.#rate.add(ip.network)
    return null
  }

  /** How many are in from the network of an address. */
  fromNetwork({ network }: Ip): number {
    return this.#from.get(network) ?? 0
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

  leave(ip: Ip): void {
    this.#count -= 1
    for (const key of keysOf(ip)) {
      const count = (this.#from.get(key) ?? 1) - 1
      if (count === 0) this.#from.delete(key)
      else this.#from.set(key, count)
    }
  }

  #fullFor(ip: Ip, limits: GateLimits): string | null {
    const atOnce = [limits.per_address_max, limits.per_network_max, limits.per_site_max]
    for (const [index, key] of keysOf(ip).entries()) {
      const max = atOnce[index] ?? limits.connections_max
      if ((this.#from.get(key) ?? 0) >= max) return `too many connections from ${key}`
    }
    if (this.#rate.of(ip.text) >= limits.rate_per_address_max) {
      return `too many connections in a minute from ${ip.text}`
    }
    return this.#rate.of(ip.network) >= limits.rate_per_network_max
      ? `too many connections in a minute from ${ip.network}`
      : null
  }
}

/** The address, its network, and its site where it has one. */
function keysOf(ip: Ip): string[] {
  const site = siteOf(ip)
  return site === null ? [ip.text, ip.network] : [ip.text, ip.network, site]
}
