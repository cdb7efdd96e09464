/**
 * What becomes of one recipient because of what was found: a refusal, a wait, a request to come
 * back, or nothing.
 *
 * Joins the screening, the arithmetic of delay/ and the patience; keeps count of what the back end
 * refused, and writes down what was found.
 */
import type { Client } from '../core/client.ts'
import type { Instant } from '../core/clock.ts'
import { splitAddress } from '../core/envelope.ts'
import { type Eventual, eventually } from '../core/eventual.ts'
import type { Leaving } from '../core/leaving.ts'
import type { Finding, Ledger, Transaction } from '../core/ledger.ts'
import type { Reply } from '../core/reply.ts'
import {
  type Consequences,
  consequencesOf,
  findingsFor,
  type RecipientsOptions,
} from '../delay/actions.ts'
import type { Greylist } from '../memory/greylist.ts'
import { hostnameOf } from './papers.ts'
import { type MailVisit, Patience, type PatienceParts } from './patience.ts'
import type { Screening } from './screening.ts'
import { laterFor, refusalOf } from './turning-away.ts'

export interface ReckoningParts extends PatienceParts {
  /** Other actions for mail to some domains. */
  readonly recipients: RecipientsOptions
  readonly greylist: Greylist
  /** What Botnet has to say of clients that have logged in is not even written down. */
  readonly passAuth: boolean
}

/** One RCPT. */
export interface Asked {
  readonly address: string
  readonly transaction: Transaction | null
  /** When the command arrived. */
  readonly arrivedAt: Instant
  readonly loggedIn: boolean
}

/** Findings that one ledger keeps. */
const findingsMax = 100

export class Reckoning {
  readonly #client: Client
  readonly #parts: ReckoningParts
  readonly #ledger: Ledger
  readonly #screening: Screening
  readonly #leaving: Leaving
  readonly #beforeWait: () => void
  readonly #patience: Patience
  #findings: readonly Finding[] = []
  #refusedCount = 0
  /** Whether nobody waits for any recipient of this message so far. */
  #isOnlyForExempt = true
  #deferred: Reply | null = null

  /** @param beforeWait Called once it is certain that the client will wait. */
  constructor(about: MailVisit, parts: ReckoningParts, beforeWait: () => void) {
    this.#client = about.client
    this.#parts = parts
    this.#ledger = about.ledger
    this.#screening = about.screening
    this.#leaving = about.leaving
    this.#beforeWait = beforeWait
    this.#patience = new Patience(about, parts)
  }

  /** What counts for the recipient that was given last. */
  get findings(): readonly Finding[] {
    return this.#findings
  }

  newTransaction(): void {
    this.#deferred = null
    this.#isOnlyForExempt = true
    this.#patience.newTransaction()
  }

  /** What the client is to hear at DATA; null when that is for the back end to say. */
  get deferred(): Reply | null {
    return this.#deferred
  }

  /** What the back end answered. */
  answered({ code }: Reply): void {
    if (code >= 500) this.#refusedCount += 1
  }

  /**
   * Looks, and waits what is due.
   *
   * @returns What the client hears instead of the back end's answer; null when that is to be asked.
   * @throws why the client is gone, as soon as it is.
   */
  settle(asked: Asked): Eventual<Reply | null> {
    const given = asked.transaction?.recipients ?? []
    const course = { recipientCount: given.length + 1, refusedCount: this.#refusedCount }
    return eventually(this.#screening.findings(asked.address, course), (found) => {
      this.#remember(found, asked.loggedIn)
      const { domain } = splitAddress(asked.address)
      this.#findings = asked.loggedIn ? [] : findingsFor(found, domain, this.#parts.recipients)
      return this.#consequence(asked)
    })
  }

  #consequence(asked: Asked): Eventual<Reply | null> {
    const { observeOnly } = this.#parts
    const exempt = this.#isExempt(asked)
    // Most clients: nothing can follow.
    if (this.#findings.every(({ excuses }) => excuses.length > 0)) return null
    const consequences = consequencesOf(this.#findings)
    const mayTurnAway = !(exempt || observeOnly)
    const refusal = mayTurnAway ? refusalOf(consequences) : null
    if (refusal !== null) return refusal
    const sender = asked.transaction?.sender ?? ''
    const occasion = {
      findings: this.#findings,
      due: consequences.delay,
      sender,
      recipient: asked.address,
      arrivedAt: asked.arrivedAt,
      exempt,
      hostname: hostnameOf(this.#screening) ?? '',
    }
    const waiting = this.#patience.wait(occasion, this.#leaving, this.#beforeWait)
    return eventually(waiting, () => this.#laterFor(consequences, sender, mayTurnAway))
  }

  #laterFor(consequences: Consequences, sender: string, mayTurnAway: boolean): Reply | null {
    // Greylisting knows clients by their network.
    const isSpared = this.#patience.endured || this.#screening.addressHidden
    if (!mayTurnAway || isSpared) return null
    const { greylist } = this.#parts
    const later = laterFor(consequences, this.#client.ip.network, sender, greylist)
    if (sender !== '' || greylist.options.bounces === 'rcpt') return later
    this.#deferred ??= later
    return null
  }

  /** True when all recipients so far are ones that nobody waits for. */
  #isExempt({ address }: Asked): boolean {
    const { never_for } = this.#parts.delay.options
    this.#isOnlyForExempt &&= never_for.includes(splitAddress(address).local.toLowerCase())
    return this.#isOnlyForExempt
  }

  /** What is found, once each: for whoever wants to know why. */
  #remember(found: readonly Finding[], loggedIn: boolean): void {
    const { findings } = this.#ledger
    const passBotnet = loggedIn && this.#parts.passAuth
    for (const finding of found) {
      if (passBotnet && finding.reason.startsWith('botnet-')) continue
      const isKnown = findings.some(
        ({ reason, evidence }) => reason === finding.reason && evidence === finding.evidence,
      )
      if (!isKnown && findings.length < findingsMax) findings.push(finding)
    }
  }
}
