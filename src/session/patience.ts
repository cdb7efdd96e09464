/**
 * How long this client is kept waiting, and what it did about it.
 *
 * Joins the arithmetic of delay/policy.ts, the places of delay/holder.ts and the ledger, and keeps
 * what has been waited in this connection already.
 */
import type { Client } from '../core/client.ts'
import type { Clock, Instant, Ms } from '../core/clock.ts'
import type { Eventual } from '../core/eventual.ts'
import type { Leaving } from '../core/leaving.ts'
import type { Counted, Entry, Finding, Ledger, Reaction } from '../core/ledger.ts'
import type { Holder } from '../delay/holder.ts'
import type { DelayOptions } from '../delay/options.ts'
import { targetFor, waitDue } from '../delay/policy.ts'
import { type Verdict, weigh } from '../delay/weigh.ts'
import type { Log } from '../observe/log.ts'
import { ClientLeft } from './ended.ts'
import type { Screening } from './screening.ts'

export interface PatienceParts {
  /** Write down what would happen and make nobody wait. */
  readonly observeOnly: boolean
  readonly clock: Clock
  readonly log: Log
  readonly delay: { readonly options: DelayOptions; readonly key: Buffer; readonly holder: Holder }
}

/** One connection, as far as it matters here. */
export interface Visit {
  readonly client: Client
  readonly ledger: Ledger
  readonly connectedAt: Instant
}

/** The same for who has to do with its mail. */
export interface MailVisit extends Visit {
  readonly screening: Screening
  readonly leaving: Leaving
}

/** One RCPT that may have to wait. */
export interface Occasion {
  /** All that was found. */
  readonly findings: readonly Finding[]
  /** Those that the wait is measured by, excuses included. */
  readonly due: readonly Finding[]
  readonly sender: string
  readonly recipient: string
  /** When the command arrived. */
  readonly arrivedAt: Instant
  /** Nobody is made to wait for this one. */
  readonly exempt: boolean
  /** For the main log. */
  readonly hostname: string
}

export class Patience {
  readonly #client: Client
  readonly #parts: PatienceParts
  readonly #ledger: Ledger
  readonly #connectedAt: Instant
  #waitedMs: Ms = 0
  #paid = false
  #endured = false
  #targetMs: Ms | null = null

  constructor({ client, ledger, connectedAt }: Visit, parts: PatienceParts) {
    this.#client = client
    this.#parts = parts
    this.#ledger = ledger
    this.#connectedAt = connectedAt
  }

  /** True when the client has waited for a reply to RCPT, to the end. */
  get endured(): boolean {
    return this.#endured
  }

  /** A new message: its delay is still to be paid, unless one for the connection is enough. */
  newTransaction(): void {
    if (this.#parts.delay.options.scope !== 'connection') this.#paid = false
  }

  /**
   * Waits what is due, if anything is.
   *
   * @param leaving That of the client.
   * @param beforeWait Called once it is certain that the client will wait.
   * @throws why the client is gone, as soon as it is.
   */
  wait(occasion: Occasion, leaving: Leaving, beforeWait: () => void): Eventual<void> {
    const { clock, observeOnly } = this.#parts
    const lookupMs = clock.now() - occasion.arrivedAt
    const verdict = this.#weigh(observeOnly ? [] : occasion.due)
    const plannedMs = this.#planned(verdict, occasion, lookupMs)
    if (plannedMs === 0) return this.#observe(occasion, lookupMs)
    beforeWait()
    return this.#hold(occasion, { verdict, lookupMs, plannedMs }, leaving)
  }

  async #hold(
    occasion: Occasion,
    { verdict, lookupMs, plannedMs }: { verdict: Verdict; lookupMs: Ms; plannedMs: Ms },
    leaving: Leaving,
  ): Promise<void> {
    const { clock, delay } = this.#parts
    const startedAt = clock.now()
    let reaction: Reaction = 'waited'
    try {
      reaction = await delay.holder.hold({
        ms: plannedMs,
        suspicion: suspicionOf(verdict),
        leaving,
      })
      this.#endured ||= reaction === 'waited'
      this.#paid = delay.options.scope !== 'recipient'
    } catch (reason) {
      reaction = reason instanceof ClientLeft ? 'left' : 'released'
      throw reason
    } finally {
      const waitedMs = clock.now() - startedAt
      this.#waitedMs += waitedMs
      this.#note({ verdict, lookupMs, plannedMs, waitedMs, reaction, observed: false })
      this.#report(occasion, verdict, plannedMs, reaction)
    }
  }

  #weigh(findings: readonly Finding[]): Verdict {
    return weigh(findings, this.#parts.delay.options.full_at)
  }

  #planned({ fraction }: Verdict, occasion: Occasion, lookupMs: Ms): Ms {
    if (fraction === 0) return 0
    const circumstances = {
      fraction,
      targetMs: this.#target(),
      lookupMs,
      waitedMs: this.#waitedMs,
      nullSender: occasion.sender === '',
      exempt: occasion.exempt,
      paid: this.#paid,
    }
    return waitDue(circumstances, this.#parts.delay.options)
  }

  /** Drawn for the network of the client, and only when somebody wants to know. */
  #target(): Ms {
    const { key, options } = this.#parts.delay
    this.#targetMs ??= targetFor(this.#client.ip.network, key, options)
    return this.#targetMs
  }

  /** Writes down the wait that there would have been, had observing not been all we do. */
  #observe(occasion: Occasion, lookupMs: Ms): void {
    const verdict = this.#weigh(occasion.findings)
    const plannedMs = this.#planned(verdict, occasion, lookupMs)
    if (plannedMs === 0) return
    this.#note({ verdict, lookupMs, plannedMs, waitedMs: 0, reaction: 'waited', observed: true })
    // The budget and the scope count as they would have, or the record would promise too much.
    this.#waitedMs += plannedMs
    this.#paid = this.#parts.delay.options.scope !== 'recipient'
  }

  #note(
    wait: Omit<Entry, 'stage' | 'reasons' | 'excuses' | 'targetMs'> & { readonly verdict: Verdict },
  ): void {
    const { verdict, lookupMs, plannedMs, waitedMs, reaction, observed } = wait
    this.#ledger.entries.push({
      stage: 'rcpt',
      ...countedIn(verdict),
      targetMs: this.#target(),
      lookupMs: Math.round(lookupMs),
      plannedMs: Math.round(plannedMs),
      waitedMs: Math.round(waitedMs),
      reaction,
      observed,
    })
  }

  #report(occasion: Occasion, verdict: Verdict, plannedMs: Ms, reaction: Reaction): void {
    const { log, clock } = this.#parts
    const { sender, recipient, hostname } = occasion
    const who = { client: this.#client.ip.text, hostname, helo: this.#ledger.helo }
    const reasons = countedIn(verdict).reasons.map(({ name }) => name)
    log.event('recipient.delayed', { ...who, reasons, sender, recipient, plannedMs })
    if (reaction === 'left') {
      log.event('recipient.left', { ...who, connectedMs: clock.now() - this.#connectedAt })
    }
  }
}

/** What counted against the client and what for it, as the ledger keeps it. */
export function countedIn({ weighed }: Verdict): {
  readonly reasons: readonly Counted[]
  readonly excuses: readonly Counted[]
} {
  const line = ({ reason, evidence }: Finding, weight: number) => ({
    name: reason,
    evidence,
    weight,
  })
  const against = weighed.filter(({ finding }) => finding.excuses.length === 0)
  const pleas = weighed.filter(({ finding }) => finding.excuses.length > 0)
  return {
    reasons: against
      .filter(({ counts }) => counts > 0)
      .map((each) => line(each.finding, each.counts)),
    excuses: pleas.map(({ finding }) => line(finding, finding.weight)),
  }
}

/** For the order in which places are given up: whole, and of few values. */
function suspicionOf({ sum }: Verdict): number {
  return Math.min(100, Math.max(1, Math.round(sum)))
}
