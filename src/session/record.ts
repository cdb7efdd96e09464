/**
 * The ledger of one connection: opened when there is something to write down, closed once.
 *
 * Many connections only wait; theirs is made when they end.
 */
import type { Client } from '../core/client.ts'
import { before, type Clock, type Instant } from '../core/clock.ts'
import { type Ledger, openLedger, outcomeOf } from '../core/ledger.ts'
import type { Networks } from '../memory/networks.ts'
import type { Log } from '../observe/log.ts'
import { hostnameOf, type Papers, protocolOf } from './papers.ts'

export interface RecordParts {
  readonly clock: Clock
  readonly log: Log
  readonly networks: Networks
}

export class Record {
  readonly connectedAt: Instant
  readonly #client: Client
  readonly #parts: RecordParts
  readonly #addressHidden: boolean
  #ledger: Ledger | null = null

  /** @param addressHidden Whether many clients come from this address, so that it tells nothing. */
  constructor(client: Client, parts: RecordParts, addressHidden: boolean) {
    this.#client = client
    this.#parts = parts
    this.#addressHidden = addressHidden
    this.connectedAt = parts.clock.now()
  }

  get ledger(): Ledger {
    this.#ledger ??= this.#open()
    return this.#ledger
  }

  /** The connection is over: what is known of it by now goes to the log. */
  close(papers: Papers, lookupCount: number): void {
    const { clock, log, networks } = this.#parts
    const { ledger } = this
    ledger.hostname = hostnameOf(papers) ?? ''
    ledger.protocol = protocolOf(papers)
    ledger.lookupCount = lookupCount
    ledger.durationMs = Math.round(clock.now() - this.connectedAt)
    ledger.outcome = outcomeOf(ledger)
    if (!this.#addressHidden) networks.remember(this.#client.ip.network)
    log.event('connection', { ledger })
  }

  #open(): Ledger {
    const { clock } = this.#parts
    const { id, ip, port } = this.#client
    const startedAt = before(clock.wall(), clock.now() - this.connectedAt)
    const ledger = openLedger(id, startedAt, ip.text, port)
    ledger.addressHidden = this.#addressHidden
    return ledger
  }
}
