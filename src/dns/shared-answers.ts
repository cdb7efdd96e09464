/**
 * Answers kept for the next asker, and questions under way that several ask at once.
 *
 * A burst of connections from one network asks the same things within the same second. One of them
 * asks; the others wait for its answer, each only as long as its own connection lasts.
 */
import { LRUCache } from 'lru-cache'
import type { Clock, Instant, Ms } from '../core/clock.ts'
import type { Eventual } from '../core/eventual.ts'

/** An answer and how long it may be kept; 0 for not at all. */
export interface Keepable<A> {
  readonly answer: A
  readonly keepMs: Ms
}

interface Kept<A> {
  readonly answer: A
  readonly staleAt: Instant
}

export class SharedAnswers<A extends object> {
  readonly #clock: Clock
  readonly #kept: LRUCache<string, Kept<A>>
  readonly #running = new Map<string, Promise<A>>()
  #keptCount = 0
  #joinedCount = 0

  constructor(clock: Clock, { entriesMax }: { entriesMax: number }) {
    this.#clock = clock
    this.#kept = new LRUCache({ max: entriesMax })
  }

  /** Askers that were served from memory. */
  get keptCount(): number {
    return this.#keptCount
  }

  /** Askers that joined a question already under way. */
  get joinedCount(): number {
    return this.#joinedCount
  }

  /** Answers in memory now, stale ones included. */
  get size(): number {
    return this.#kept.size
  }

  /**
   * The answer to a question: at once from memory, else from whoever is just asking it, or by asking.
   *
   * @param ask Not called off when `signal` aborts: its answer is as good for the next asker.
   * @throws `signal.reason` as soon as `signal` aborts, and what `ask` throws.
   */
  get(question: string, ask: () => Promise<Keepable<A>>, signal: AbortSignal): Eventual<A> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const kept = this.#kept.get(question)
    if (kept !== undefined && this.#clock.now() < kept.staleAt) {
      this.#keptCount += 1
      return kept.answer
    }
    const running = this.#running.get(question)
    if (running !== undefined) this.#joinedCount += 1
    return unlessAborted(running ?? this.#start(question, ask), signal)
  }

  clear(): void {
    this.#kept.clear()
  }

  #start(question: string, ask: () => Promise<Keepable<A>>): Promise<A> {
    const running = this.#run(question, ask)
    this.#running.set(question, running)
    return running
  }

  async #run(question: string, ask: () => Promise<Keepable<A>>): Promise<A> {
    try {
      const { answer, keepMs } = await ask()
      if (keepMs > 0) this.#kept.set(question, { answer, staleAt: this.#clock.now() + keepMs })
      return answer
    } finally {
      this.#running.delete(question)
    }
  }
}

/** What `promise` comes to, unless `signal` aborts first. Leaves no listener behind. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const leave = () => reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
