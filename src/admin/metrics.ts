/**
 * What has happened and how we are, in the text format of Prometheus. The only file that knows
 * prom-client.
 *
 * Everything is a rendering of the events and the ledger: nothing is counted in two places. Labels
 * are names of ours, never what a client has said, so no stranger can make the table grow.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Ledger } from '../core/ledger.ts'
import type { Log } from '../observe/log.ts'
import { certificateExpiry, type Vitals } from './readiness.ts'

/** In seconds: the greet pauses, and delays up to the longest that real clients bear. */
const waitBuckets = [1, 3, 5, 10, 20, 30, 60, 90, 120, 150, 200, 270]

/** How often the lag of the event loop is looked at, in ms; more often would cost an idle process. */
const lagEveryMs = 100

/** What the package tells as the least lag when it has not looked since it was asked last, and all that it tells then. */
const unseen = /^nodejs_eventloop_lag_min_seconds 9223372036/m
const lags = /^nodejs_eventloop_lag_(?:min|max|mean|stddev|p\d\d)_seconds .*\n/gm

export interface MetricSources {
  readonly log: Log
  readonly vitals: () => Vitals
  readonly backendUp: () => boolean
}

export class Metrics {
  readonly #registry = new Registry()
  #watchesProcess = false
  readonly #connections = this.#counter(
    'treacle_connections_total',
    'Connections that have ended, by what came of them.',
    'outcome',
  )
  readonly #findings = this.#counter(
    'treacle_findings_total',
    'Connections in which a reason was found, whatever its action.',
    'reason',
    'action',
  )
  readonly #waits = this.#counter(
    'treacle_waits_total',
    'Waits that have ended, by what the client did; observed ones are those of observe mode.',
    'stage',
    'reaction',
    'observed',
  )
  readonly #messages = this.#counter(
    'treacle_messages_total',
    'Messages, by the first digit of their final reply.',
    'reply',
  )
  readonly #bytes = this.#counter('treacle_message_bytes_total', 'Content taken, in bytes.')
  readonly #lookups = this.#counter('treacle_lookups_total', 'Questions asked of the DNS.')
  readonly #waitSeconds = new Histogram({
    name: 'treacle_wait_seconds',
    help: 'How long clients have waited.',
    labelNames: ['stage'],
    buckets: waitBuckets,
    registers: [this.#registry],
  })

  constructor({ log, vitals, backendUp }: MetricSources) {
    this.#eventCounts(log)
    this.#gauge('treacle_connected', 'Clients that are connected.', () => vitals().connections)
    this.#gauge('treacle_held', 'Clients that wait at RCPT.', () => vitals().held)
    this.#gauge('treacle_backend_up', '1 when the back end was reached last, 0 when not.', () =>
      Number(backendUp()),
    )
    this.#gauge('treacle_short_of_memory', '1 while waits are cut short to save memory.', () =>
      Number(vitals().shortOfMemory),
    )
    this.#gauge('treacle_guard', '1 while all clients seem to come from one address.', () =>
      Number(vitals().guard !== null),
    )
    this.#gauge('treacle_dns_lists_set_aside', 'DNS lists that failed their test.', () => {
      return vitals().dnsLists.filter(({ setAside }) => setAside !== null).length
    })
    this.#gauge(
      'treacle_certificate_expires_seconds',
      'When our certificate ends, in seconds since 1970; NaN without one.',
      () => certificateExpiry(vitals().certificate),
    )
    log.listen((name, fields) => {
      if (name === 'connection' && 'ledger' in fields) this.#add(fields.ledger)
    })
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    if (!this.#watchesProcess) this.#watchProcess()
    const text = await this.#registry.metrics()
    return unseen.test(text) ? text.replace(lags, '') : text
  }

  /** Not before somebody asks: each collection of garbage is then an event that is listened to. */
  #watchProcess(): void {
    this.#watchesProcess = true
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: lagEveryMs })
  }

  #add({ outcome, findings, entries, transactions, lookupCount }: Ledger): void {
    this.#connections.count(1, outcome)
    this.#lookups.count(lookupCount)
    const names = new Map(findings.map(({ reason, action }) => [reason, action]))
    for (const [reason, action] of names) this.#findings.count(1, reason, action)
    for (const { stage, reaction, observed, waitedMs } of entries) {
      this.#waits.count(1, stage, reaction, String(observed))
      if (!observed) this.#waitSeconds.observe({ stage }, waitedMs / 1_000)
    }
    for (const { reply, bytes } of transactions) {
      if (reply !== '') this.#messages.count(1, `${reply.charAt(0)}xx`)
      this.#bytes.count(bytes)
    }
  }

  #eventCounts(log: Log): void {
    new Counter({
      name: 'treacle_events_total',
      help: 'What the log tells, written or not, by the name of the event.',
      labelNames: ['event'],
      registers: [this.#registry],
      collect() {
        this.reset()
        for (const [event, count] of Object.entries(log.counts)) this.inc({ event }, count)
      },
    })
  }

  #counter(name: string, help: string, ...labelNames: string[]): Tally {
    const tally = new Tally()
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset()
        if (labelNames.length === 0) this.inc(0)
        for (const [values, count] of tally.counts) this.labels(...values).inc(count)
      },
    })
    return tally
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read())
      },
    })
  }
}

/** Counts by labels. A counter of the package looks its labels up anew each time, which is for those who ask. */
class Tally {
  readonly #byKey = new Map<string, { readonly values: readonly string[]; count: number }>()

  get counts(): (readonly [values: readonly string[], count: number])[] {
    return [...this.#byKey.values()].map(({ values, count }) => [values, count])
  }

  count(by: number, ...values: readonly string[]): void {
    const key = values.join(' ')
    const known = this.#byKey.get(key)
    if (known === undefined) this.#byKey.set(key, { values, count: by })
    else known.count += by
  }
}
