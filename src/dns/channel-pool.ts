/**
 * The channels to the DNS servers: who asks next, and when to give up. The only file that knows
 * node:dns.
 *
 * A single c-ares channel loses answers when a thousand questions are under way on it, so the load
 * is spread over several, and each has a limit. Questions beyond that wait for their turn, inside
 * the same deadline that the rest of their life has.
 *
 * c-ares adapts how long it waits for an answer to how fast the server was so far (a quarter of a
 * second to a second for a near one), and gives up after the last try, however much of the time
 * limit is left. Hence the generous default of `tries`; the limit itself is kept by our own clock.
 */
import { Resolver } from 'node:dns/promises'
import type { Clock, Ms } from '../core/clock.ts'

export interface PoolOptions {
  /** Empty: those of the system. */
  readonly servers: readonly string[]
  readonly timeoutMs: Ms
  readonly tries: number
  readonly channelsCount: number
  readonly inFlightMax: number
}

/** A question that got no usable answer. The message holds no name: the name may hold a key. */
export class DnsFailure extends Error {
  override readonly name = 'DnsFailure'
}

interface Channel {
  readonly resolver: Resolver
  inFlight: number
}

/** One question, from the moment somebody asks it. */
interface Job {
  run(resolver: Resolver): Promise<void>
  fail(why: string): void
}

export class ChannelPool {
  readonly #clock: Clock
  readonly #timeoutMs: Ms
  readonly #inFlightMax: number
  readonly #channels: readonly Channel[]
  /** In the order of arrival; a question whose time is over is taken out. */
  readonly #queue = new Set<Job>()
  readonly #queueMax: number
  #closed = false

  constructor(options: PoolOptions, clock: Clock) {
    this.#clock = clock
    this.#timeoutMs = options.timeoutMs
    this.#inFlightMax = options.inFlightMax
    this.#queueMax = options.channelsCount * options.inFlightMax
    this.#channels = Array.from({ length: options.channelsCount }, () => openChannel(options))
  }

  /** Questions on their way to a server now. Each stays until c-ares has let go of it. */
  get inFlightCount(): number {
    return this.#channels.reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  get queuedCount(): number {
    return this.#queue.size
  }

  /**
   * Asks by way of the least busy channel.
   *
   * @param query Puts the question to the resolver it is given.
   * @throws DnsFailure when there is no turn or no answer in time, and what `query` throws.
   */
  async ask<T>(query: (resolver: Resolver) => Promise<T>): Promise<T> {
    if (this.#closed) throw new DnsFailure('closed')
    if (this.#queue.size >= this.#queueMax) throw new DnsFailure('too many queries')

    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const job: Job = {
      run: async (resolver) => query(resolver).then(resolve, reject),
      fail: (why) => reject(new DnsFailure(why)),
    }
    const stopTimer = this.#clock.after(this.#timeoutMs, () => {
      this.#queue.delete(job)
      job.fail('time-out')
    })
    this.#queue.add(job)
    this.#startNext()
    try {
      return await promise
    } finally {
      stopTimer()
    }
  }

  /** Gives up every question, those that wait for their turn included, and takes no more. */
  close(): void {
    this.#closed = true
    for (const job of this.#queue) job.fail('closed')
    this.#queue.clear()
    for (const { resolver } of this.#channels) resolver.cancel()
  }

  #startNext(): void {
    const [job] = this.#queue
    const channel = this.#channels.reduce((a, b) => (b.inFlight < a.inFlight ? b : a))
    if (job === undefined || channel.inFlight >= this.#inFlightMax) return
    this.#queue.delete(job)
    channel.inFlight += 1
    void job.run(channel.resolver).finally(() => {
      channel.inFlight -= 1
      this.#startNext()
    })
  }
}

function openChannel({ servers, timeoutMs, tries }: PoolOptions): Channel {
  const perTryMs = Math.max(1, Math.ceil(timeoutMs / tries))
  const resolver = new Resolver({ timeout: perTryMs, maxTimeout: perTryMs, tries })
  if (servers.length > 0) resolver.setServers(servers)
  return { resolver, inFlight: 0 }
}

/** "none" when the servers say that there is no such record, else what went wrong, in a word. */
export function failureOf(error: unknown): 'none' | { readonly why: string } {
  if (error instanceof DnsFailure) return { why: error.message }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
  if (code === 'ENOTFOUND' || code === 'ENODATA') return 'none'
  return { why: words[code] ?? code.replace(/^E(?=[A-Z])/, '') }
}

const words: Readonly<Record<string, string>> = {
  ETIMEOUT: 'time-out',
  ECANCELLED: 'closed',
  ECONNREFUSED: 'no DNS server reached',
}
