/**
 * Questions to the DNS, each with a time limit, asked once and remembered for a while.
 *
 * An answer has one of three kinds. `found` and `none` are what the servers say. `unavailable` says
 * only that we could not find out: a time-out, a server that fails. It is never evidence against
 * anybody.
 *
 * `Resolver.reverse()` and `lookup()` of node:dns are not used: the first calls every failure
 * "not found", and both answer from /etc/hosts.
 */
import type { Resolver } from 'node:dns/promises'
import type { Clock, Ms } from '../core/clock.ts'
import type { Eventual } from '../core/eventual.ts'
import { parseHostname } from '../core/hostname.ts'
import { arpaName, type Ip } from '../core/ip.ts'
import { ChannelPool, DnsFailure, failureOf } from './channel-pool.ts'
import type { DnsOptions } from './options.ts'
import { pointerNames, queryName } from './query-name.ts'
import { type Keepable, SharedAnswers } from './shared-answers.ts'

export type Answer<T> =
  | { readonly kind: 'found'; readonly records: readonly T[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly why: string }

/**
 * An answer that is in memory is given at once; any other is a promise, which rejects with
 * `signal.reason` once `signal` aborts, and with nothing else. A name that cannot be a DNS name is
 * answered `none` without asking.
 */
export interface Dns {
  /** A (family 4) or AAAA (6) records of a name, as address text. */
  addresses(name: string, family: 4 | 6, signal: AbortSignal): Eventual<Answer<string>>
  /**
   * The names of an address (PTR), in lower case: those that are host names, at most eight.
   * The owner of the address chose them, and they need not lead back to it: see reverse.ts.
   */
  pointers(ip: Ip, signal: AbortSignal): Eventual<Answer<string>>
  /** TXT records, the strings of each put together. Any bytes can be in them. */
  texts(name: string, signal: AbortSignal): Eventual<Answer<string>>
  /** MX hosts in lower case, lowest preference first; "." for a null MX (RFC 7505). */
  exchanges(name: string, signal: AbortSignal): Eventual<Answer<string>>
}

/** What was asked and answered since the start. */
export interface DnsCounters {
  /** Questions of any kind, as they came from the rest of Treacle. */
  readonly asked: number
  /** Answered from memory. */
  readonly kept: number
  /** Joined a question that somebody else was just asking. */
  readonly joined: number
  /** Sent to a server. The next three say how these ended. */
  readonly sent: number
  readonly found: number
  readonly none: number
  readonly unavailable: number
}

/** What the servers said; `ttl` in seconds, null when node:dns does not tell. */
interface Records {
  readonly records: readonly string[]
  readonly ttl: number | null
}

/**
 * A failure is kept for a moment: the recipients of one message ask the same questions within a
 * second, and a server that is silent would cost each of them the whole time limit. It is not kept
 * for longer, since it is no answer.
 */
const failureKeptMs: Ms = 5_000

/** A larger answer (one stranger can publish 64 KB at a name) is passed on but not kept. */
const keptCharactersMax = 4_096

export class SystemDns implements Dns {
  readonly #options: DnsOptions
  readonly #pool: ChannelPool
  readonly #answers: SharedAnswers<Answer<string>>
  readonly #counts = { asked: 0, sent: 0, found: 0, none: 0, unavailable: 0 }
  #closed = false

  constructor(options: DnsOptions, clock: Clock) {
    this.#options = options
    this.#answers = new SharedAnswers(clock, { entriesMax: options.cache_entries })
    this.#pool = new ChannelPool(
      {
        servers: options.servers,
        timeoutMs: options.timeout,
        tries: options.tries,
        channelsCount: options.resolvers,
        inFlightMax: options.in_flight_max,
      },
      clock,
    )
  }

  get counters(): DnsCounters {
    const { keptCount, joinedCount } = this.#answers
    return { ...this.#counts, kept: keptCount, joined: joinedCount }
  }

  /** How much is under way and remembered right now. */
  get gauges(): { readonly inFlight: number; readonly queued: number; readonly kept: number } {
    const { inFlightCount, queuedCount } = this.#pool
    return { inFlight: inFlightCount, queued: queuedCount, kept: this.#answers.size }
  }

  addresses(name: string, family: 4 | 6, signal: AbortSignal): Eventual<Answer<string>> {
    const type = family === 4 ? 'A' : 'AAAA'
    return this.#look(type, name, signal, async (resolver, asked) => {
      const found =
        family === 4
          ? await resolver.resolve4(asked, { ttl: true })
          : await resolver.resolve6(asked, { ttl: true })
      const ttl = Math.min(...found.map((record) => record.ttl))
      return { records: found.map(({ address }) => address), ttl }
    })
  }

  pointers(ip: Ip, signal: AbortSignal): Eventual<Answer<string>> {
    return this.#look('PTR', arpaName(ip), signal, async (resolver, asked) => {
      try {
        return { records: pointerNames(await resolver.resolvePtr(asked)), ttl: null }
      } catch (error) {
        throw await unlessAlias(error, resolver, asked)
      }
    })
  }

  texts(name: string, signal: AbortSignal): Eventual<Answer<string>> {
    return this.#look('TXT', name, signal, async (resolver, asked) => {
      const found = await resolver.resolveTxt(asked)
      return { records: found.map((strings) => strings.join('')), ttl: null }
    })
  }

  exchanges(name: string, signal: AbortSignal): Eventual<Answer<string>> {
    return this.#look('MX', name, signal, async (resolver, asked) => {
      const found = await resolver.resolveMx(asked)
      const hosts = found
        .sort((a, b) => a.priority - b.priority)
        .map(({ exchange }) => (exchange === '' ? '.' : parseHostname(exchange)))
      return { records: hosts.filter((host) => host !== null), ttl: null }
    })
  }

  /** Ends every question that is under way (`unavailable`), frees the sockets, and asks no more. */
  close(): void {
    this.#closed = true
    this.#pool.close()
    this.#answers.clear()
  }

  #look(
    type: string,
    name: string,
    signal: AbortSignal,
    query: (resolver: Resolver, asked: string) => Promise<Records>,
  ): Eventual<Answer<string>> {
    if (signal.aborted) return Promise.reject(signal.reason)
    this.#counts.asked += 1
    const asked = queryName(name)
    if (asked === null) return { kind: 'none' }

    const ask = () => this.#send((resolver) => query(resolver, asked))
    return this.#answers.get(`${type} ${asked}`, ask, signal)
  }

  /** Asks the servers. When we fail, that is an answer too. */
  async #send(query: (resolver: Resolver) => Promise<Records>): Promise<Keepable<Answer<string>>> {
    this.#counts.sent += 1
    const { answer, ttl } = await this.#pool.ask(query).then(answerOf, failedAnswer)
    this.#counts[answer.kind] += 1
    return { answer, keepMs: this.#keepMs(answer, ttl) }
  }

  #keepMs(answer: Answer<string>, ttl: number | null): Ms {
    if (this.#closed) return 0
    if (answer.kind === 'unavailable') return failureKeptMs
    if (answer.kind === 'none') return this.#options.cache_negative
    const characters = answer.records.reduce((sum, record) => sum + record.length, 0)
    if (characters > keptCharactersMax) return 0
    const ownersMs = ttl === null ? this.#options.cache_without_ttl : ttl * 1_000
    return Math.min(ownersMs, this.#options.cache_longest)
  }
}

/**
 * An alias that leads round in circles, or to where nobody answers, has no data of the type that was
 * asked for; that is no word about the name (RFC 1035 section 3.6.2).
 */
async function unlessAlias(error: unknown, resolver: Resolver, asked: string): Promise<unknown> {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENODATA')) return error
  const aliases = await resolver.resolveCname(asked).catch(() => [])
  return aliases.length > 0 ? new DnsFailure('an alias that leads nowhere') : error
}

interface Answered {
  readonly answer: Answer<string>
  readonly ttl: number | null
}

function answerOf({ records, ttl }: Records): Answered {
  return { answer: records.length > 0 ? { kind: 'found', records } : { kind: 'none' }, ttl }
}

function failedAnswer(error: unknown): Answered {
  const failure = failureOf(error)
  if (failure === 'none') return { answer: { kind: 'none' }, ttl: null }
  return { answer: { kind: 'unavailable', why: failure.why }, ttl: null }
}
