/**
 * Whether mail can be taken now: what stands in the way, and what is worth a look.
 *
 * `not-ready` means that clients hear 4xx. `degraded` means that mail flows and somebody should look
 * at something within days. A load balancer and `treacle health` go by it.
 */
import { X509Certificate } from 'node:crypto'
import type { Clock, Instant, Ms } from '../core/clock.ts'

/** What the parts of Treacle say of themselves. */
export interface Vitals {
  readonly draining: boolean
  readonly connections: number
  readonly held: number
  readonly dnsLists: readonly { readonly name: string; readonly setAside: string | null }[]
  /** The first of our certificates to expire, PEM; null without one. */
  readonly certificate: string | null
  /** Whether waits are cut short and suspicious clients sent away to save memory. */
  readonly shortOfMemory: boolean
  /** What is wrong with a new one, so that it is not used; null when nothing is. */
  readonly certificateFault: string | null
  /** What the guard has against the addresses that clients seem to come from; null when nothing. */
  readonly guard: string | null
}

export interface Readiness {
  readonly name: 'treacle'
  readonly status: 'ready' | 'degraded' | 'not-ready'
  /** In an operator's words; empty when all is well. */
  readonly problems: readonly string[]
  readonly backend: { readonly reachable: boolean; readonly why: string }
  readonly dnsLists: Vitals['dnsLists']
  readonly certificateDaysLeft: number | null
  readonly guard: string | null
  readonly connections: number
  readonly held: number
}

/** When somebody should have renewed the certificate by now: Let's Encrypt says 30 days. */
const certificateDaysMin = 14
const dayMs: Ms = 24 * 3_600_000

export function judge(vitals: Vitals, backendFault: string | null, wall: Date): Readiness {
  const { draining, dnsLists, certificate, certificateFault, shortOfMemory, guard } = vitals
  const { connections, held } = vitals
  const certificateDaysLeft = certificate === null ? null : daysLeft(certificate, wall)
  const blocking = [
    draining ? ['shutting down'] : [],
    backendFault === null ? [] : [`back end: ${backendFault}`],
  ].flat()
  const worrying = [
    dnsLists.flatMap(({ name, setAside }) =>
      setAside === null ? [] : [`DNS list ${name} is set aside: ${setAside}`],
    ),
    certificateDaysLeft === null || certificateDaysLeft >= certificateDaysMin
      ? []
      : [`the certificate is good for ${certificateDaysLeft} more days`],
    shortOfMemory ? ['memory is short: more is in use than limits.memory_max'] : [],
    certificateFault === null ? [] : [`a new certificate is not used: ${certificateFault}`],
    guard === null ? [] : [guard],
  ].flat()
  return {
    name: 'treacle',
    status: blocking.length > 0 ? 'not-ready' : worrying.length > 0 ? 'degraded' : 'ready',
    problems: [...blocking, ...worrying],
    backend: { reachable: backendFault === null, why: backendFault ?? '' },
    dnsLists,
    certificateDaysLeft,
    guard,
    connections,
    held,
  }
}

function daysLeft(pem: string, wall: Date): number {
  return Math.floor((certificateExpiry(pem) * 1_000 - wall.getTime()) / dayMs)
}

/** When a certificate ends, in seconds since 1970; NaN without one. */
export function certificateExpiry(pem: string | null): number {
  return pem === null ? Number.NaN : new X509Certificate(pem).validToDate.getTime() / 1_000
}

/**
 * Asks the back end, but not for everybody who asks us: an answer is good for a while, and those who
 * come while it is being asked wait for the same answer.
 */
export class BackendCheck {
  readonly #clock: Clock
  readonly #ask: () => Promise<string | null>
  readonly #goodForMs: Ms
  #answer: Promise<string | null> | null = null
  #askedAt: Instant = 0

  /** @param ask What is wrong with it; null when nothing. */
  constructor(clock: Clock, ask: () => Promise<string | null>, goodForMs: Ms = 5_000) {
    this.#clock = clock
    this.#ask = ask
    this.#goodForMs = goodForMs
  }

  fault(): Promise<string | null> {
    const now = this.#clock.now()
    if (this.#answer === null || now - this.#askedAt >= this.#goodForMs) {
      this.#askedAt = now
      this.#answer = this.#ask()
    }
    return this.#answer
  }
}
