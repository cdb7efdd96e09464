/**
 * How long this client is kept waiting, and what it did about it.
 *
 * Joins the arithmetic of delay/policy.ts, the places of delay/holder.ts and the ledger, and keeps
 * what has been waited in this connection already.
 */
import type { Client } from '../core/client.ts'
import type { Clock, Instant, Ms } from '../core/clock.ts'
import { splitAddress } from '../core/envelope.ts'
import type { Entry, Finding, Ledger, Reaction } from '../core/ledger.ts'
import type { Holder } from '../delay/holder.ts'
import type { DelayOptions } from '../delay/options.ts'
import { targetFor, waitDue } from '../delay/policy.ts'
import type { Log } from '../observe/log.ts'
import { ClientLeft } from './ended.ts'

export interface PatienceParts {
  /** Write down what would happen and make nobody wait. */
  readonly observeOnly: boolean
  readonly clock: Clock
  readonly log: Log
  readonly delay: { readonly options: DelayOptions; readonly key: Buffer; readonly holder: Holder }
}

/** One RCPT that may have to wait. */
export interface Occasion {
  readonly findings: readonly Finding[]
  readonly sender: string
  readonly recipient: string
  /** When the command arrived. */
  readonly arrivedAt: Instant
  /** Those of the same message that came earlier. */
  readonly othersBefore: readonly string[]
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
  #targetMs: Ms | null = null

  constructor(client: Client, parts: PatienceParts, ledger: Ledger) {
    this.#client = client
    this.#parts = parts
    this.#ledger = ledger
    this.#connectedAt = parts.clock.now()
  }

  /** A new message: its delay is still to be paid, unless one for the connection is enough. */
  newTransaction(): void {
    if (this.#parts.delay.options.scope !== 'connection') this.#paid = false
  }

  /**
   * Waits what is due.
   *
   * @param beforeWait Called once it is certain that the client will wait.
   * @throws `signal.reason`, as soon as it aborts.
   */
  async wait(occasion: Occasion, signal: AbortSignal, beforeWait: () => void): Promise<void> {
    const { clock, delay, observeOnly } = this.#parts
    const lookupMs = clock.now() - occasion.arrivedAt
    const due = observeOnly ? [] : occasion.findings.filter(({ action }) => action === 'delay')
    const plannedMs = this.#planned(due, occasion, lookupMs)
    if (plannedMs === 0) {
      this.#observe(occasion, lookupMs)
      return
    }
    beforeWait()
    const startedAt = clock.now()
    let reaction: Reaction = 'waited'
    try {
      reaction = await delay.holder.hold({ ms: plannedMs, suspicion: due.length, signal })
      this.#paid = delay.options.scope !== 'recipient'
    } catch (reason) {
      reaction = reason instanceof ClientLeft ? 'left' : 'released'
      throw reason
    } finally {
      const waitedMs = clock.now() - startedAt
      this.#waitedMs += waitedMs
      this.#note({ findings: due, lookupMs, plannedMs, waitedMs, reaction, observed: false })
      this.#report(occasion, due, plannedMs, reaction)
    }
  }

  #planned(findings: readonly Finding[], occasion: Occasion, lookupMs: Ms): Ms {
    const circumstances = {
      findings,
      targetMs: this.#target(),
      lookupMs,
      waitedMs: this.#waitedMs,
      nullSender: occasion.sender === '',
      exempt: this.#isExempt(occasion),
      paid: this.#paid,
    }
    return findings.length === 0 ? 0 : waitDue(circumstances, this.#parts.delay.options)
  }

  /** Nobody is made to wait for a message that is only for those who must always be reached. */
  #isExempt({ recipient, othersBefore }: Occasion): boolean {
    const { never_for } = this.#parts.delay.options
    return [recipient, ...othersBefore].every((each) =>
      never_for.includes(splitAddress(each).local.toLowerCase()),
    )
  }

  /** Drawn for the network of the client, and only when somebody wants to know. */
  #target(): Ms {
    const { key, options } = this.#parts.delay
    this.#targetMs ??= targetFor(this.#client.ip.network, key, options)
    return this.#targetMs
  }

  /** Writes down the wait that there would have been, had observing not been all we do. */
  #observe(occasion: Occasion, lookupMs: Ms): void {
    const { findings } = occasion
    const plannedMs = this.#planned(findings, occasion, lookupMs)
    if (plannedMs === 0) return
    this.#note({ findings, lookupMs, plannedMs, waitedMs: 0, reaction: 'waited', observed: true })
    // The budget and the scope count as they would have, or the record would promise too much.
    this.#waitedMs += plannedMs
    this.#paid = this.#parts.delay.options.scope !== 'recipient'
  }

  #note(
    wait: Omit<Entry, 'stage' | 'reasons' | 'targetMs'> & { readonly findings: readonly Finding[] },
  ): void {
    const { findings, lookupMs, plannedMs, waitedMs, reaction, observed } = wait
    this.#ledger.entries.push({
      stage: 'rcpt',
      reasons: findings.map(({ reason, evidence }) => ({ name: reason, evidence })),
      targetMs: this.#target(),
      lookupMs: Math.round(lookupMs),
      plannedMs: Math.round(plannedMs),
      waitedMs: Math.round(waitedMs),
      reaction,
      observed,
    })
  }

  #report(occasion: Occasion, due: readonly Finding[], plannedMs: Ms, reaction: Reaction): void {
    const { log, clock } = this.#parts
    const { sender, recipient, hostname } = occasion
    const who = { client: this.#client.ip.text, hostname, helo: this.#ledger.helo }
    const reasons = due.map(({ reason }) => reason)
    log.event('recipient.delayed', { ...who, reasons, sender, recipient, plannedMs })
    if (reaction === 'left') {
      log.event('recipient.left', { ...who, connectedMs: clock.now() - this.#connectedAt })
    }
  }
}
