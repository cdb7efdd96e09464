/**
 * Notices when an address is not that of a client, but of something in front of us that hides who
 * connects: the gateway of a container network, a load balancer, a tunnel (docs/client-address.md).
 *
 * One host calls itself by names of one owner. When hosts of many owners seem to have one private
 * address, that address says nothing about any of them, and whoever judges by it tarpits or trusts
 * the whole world. Only names are counted, not connections, so a host that polls us all day trips
 * nothing; and each name counts for hours, so a client that floods us with one neither clears it. An
 * address of the Internet is never watched: no stranger can bring the guard up.
 */
import type { Clock, Instant, Ms } from '../core/clock.ts'
import { type Ip, isPrivate, parseAddressLiteral, parseIp } from '../core/ip.ts'
import { registeredDomain } from '../core/registered-domain.ts'

export interface GuardReport {
  readonly kind: 'tripped' | 'clear'
  readonly address: string
  /** Whose hosts seem to have it. */
  readonly owners: readonly string[]
}

/** So many owners at one private address are no single host. */
const ownersMin = 5
/** What was heard longer ago than this counts no more. */
const windowMs: Ms = 6 * 3_600_000
/** Owners that are remembered for one address; more would prove nothing more. */
const ownersMax = 16
/** Addresses watched; the one not heard of for longest makes room. */
const addressesMax = 256

interface Watched {
  tripped: boolean
  /** When each owner was heard of last, the oldest first. */
  readonly heardAt: Map<string, Instant>
}

export class AddressGuard {
  readonly #clock: Clock
  readonly #report: (report: GuardReport) => void
  readonly #watched = new Map<string, Watched>()
  #on: boolean

  constructor(clock: Clock, on: boolean, report: (report: GuardReport) => void) {
    this.#clock = clock
    this.#on = on
    this.#report = report
  }

  /** Switched off, it forgets all it knows. */
  set on(on: boolean) {
    this.#on = on
    if (!on) this.#watched.clear()
  }

  /** Addresses that are watched. */
  get size(): number {
    return this.#watched.size
  }

  /** The addresses that hide the clients behind them. */
  get hiding(): readonly string[] {
    return [...this.#watched.keys()].filter((address) => this.#isTripped(address))
  }

  /** True when the address hides the clients behind it, so that nobody is to be judged by it. */
  hides({ text }: Ip): boolean {
    return this.#isTripped(text)
  }

  /** A client with this address has said who it is. */
  heard(ip: Ip, helo: string): void {
    if (!this.#on || !isPrivate(ip)) return
    const watched = this.#watch(ip.text)
    const owner = ownerOf(helo)
    watched.heardAt.delete(owner)
    watched.heardAt.set(owner, this.#clock.now())
    if (watched.heardAt.size > ownersMax) dropFirst(watched.heardAt)
    this.#forgetOld(watched)
    if (watched.tripped || watched.heardAt.size < ownersMin) return
    watched.tripped = true
    this.#report({ kind: 'tripped', address: ip.text, owners: [...watched.heardAt.keys()] })
  }

  #watch(address: string): Watched {
    const watched = this.#watched.get(address) ?? { tripped: false, heardAt: new Map() }
    this.#watched.delete(address)
    this.#watched.set(address, watched)
    if (this.#watched.size > addressesMax) dropFirst(this.#watched)
    return watched
  }

  /** It is clear again when within the window no two owners were heard of. */
  #isTripped(address: string): boolean {
    const watched = this.#watched.get(address)
    if (watched?.tripped !== true) return false
    this.#forgetOld(watched)
    if (watched.heardAt.size >= 2) return true
    watched.tripped = false
    this.#report({ kind: 'clear', address, owners: [...watched.heardAt.keys()] })
    return false
  }

  #forgetOld({ heardAt }: Watched): void {
    for (const [owner, at] of heardAt) {
      if (this.#clock.now() - at <= windowMs) break
      heardAt.delete(owner)
    }
  }
}

/** Whose host calls itself so: names without a dot are anybody's, and so are private addresses. */
function ownerOf(helo: string): string {
  const ip = parseAddressLiteral(helo) ?? parseIp(helo)
  if (ip !== null) return isPrivate(ip) ? '' : ip.network
  const name = helo.toLowerCase().replace(/\.$/, '')
  return name.includes('.') ? registeredDomain(name) : ''
}

function dropFirst(map: Map<string, unknown>): void {
  const [first] = map.keys()
  if (first !== undefined) map.delete(first)
}
