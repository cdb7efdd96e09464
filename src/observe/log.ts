/** Writes events as one JSON object a line. The only file that knows pino. */
import { createRequire } from 'node:module'
import { destination, type Logger, pino } from 'pino'
import type { Clock, Instant, Ms } from '../core/clock.ts'
import { visibleJson } from '../core/text.ts'
import { type EventFields, type EventName, events, zeroCounts } from './events.ts'
import type { LogOptions } from './options.ts'

/** Lines are gathered for as long, or until they are as many bytes: each write is a system call. */
const gatheredMs: Ms = 100
const gatheredMax = 8 * 1_024

/** Somebody else who wants to hear of each event: the main log, metrics, a test. */
export type Listener = <Name extends EventName>(name: Name, fields: EventFields[Name]) => void

export class Log {
  readonly #pino: Logger
  readonly #clock: Clock
  readonly #listeners = new Set<Listener>()
  readonly #silentUntil = new Map<EventName, Instant>()
  readonly #unsaid = new Map<EventName, number>()
  /** How often each event has happened, written or not. */
  readonly counts = zeroCounts()
  readonly #flush: (done: () => void) => void

  constructor(clock: Clock, options: Pick<LogOptions, 'level' | 'format'>) {
    this.#clock = clock
    const stream = destination({ dest: 1, sync: false, minLength: gatheredMax })
    // In its turn, behind a write that is under way, and once more for what came during that;
    // flushSync would overtake it.
    const flush = (done: () => void) => stream.flush(() => stream.flush(() => done()))
    this.#flush = flush
    let isDue = false
    let hasLines = false
    const write = () => {
      isDue = false
      stream.flush()
    }
    const writeSoon = () => {
      if (!isDue) clock.after(gatheredMs, write)
      isDue = true
    }
    // During a write a flush does nothing, and what came meanwhile would stay until somebody says more.
    stream.on('drain', () => {
      if (hasLines) writeSoon()
      hasLines = false
    })
    const seen = {
      write: (line: string) => {
        stream.write(visibleJson(line))
        hasLines = true
        writeSoon()
      },
    }
    const settings = {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${clock.wall().toISOString()}"`,
      formatters: { level: (label: string) => ({ level: label }) },
    }
    this.#pino = options.format === 'pretty' ? pino(settings, pretty()) : pino(settings, seen)
  }

  event<Name extends EventName>(name: Name, fields: EventFields[Name]): void {
    this.counts[name] += 1
    for (const listener of this.#listeners) listener(name, fields)
    const { level } = events[name]
    if (!this.#pino.isLevelEnabled(level) || !this.#mayWrite(name)) return
    const unsaid = this.#unsaid.get(name) ?? 0
    this.#unsaid.delete(name)
    this.#pino[level]({
      event: name,
      ...shown(fields),
      ...(unsaid > 0 ? { alsoHappened: unsaid } : {}),
    })
  }

  /** From now on, the least important events that are written. */
  set level(level: LogOptions['level']) {
    this.#pino.level = level
  }

  /** A bug of ours: counted, with its stack. */
  fault(where: string, error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.event('our-fault', { where, stack })
  }

  /** @returns A function that takes the listener off again. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Settles when what is still in memory has been written. */
  flush(): Promise<void> {
    return new Promise((resolve) => this.#flush(resolve))
  }

  #mayWrite(name: EventName): boolean {
    const { atMostEveryMs } = events[name]
    if (atMostEveryMs === undefined) return true
    const now = this.#clock.now()
    if (now < (this.#silentUntil.get(name) ?? Number.NEGATIVE_INFINITY)) {
      this.#unsaid.set(name, (this.#unsaid.get(name) ?? 0) + 1)
      return false
    }
    this.#silentUntil.set(name, now + atMostEveryMs)
    return true
  }
}

/** A ledger is laid out flat, as the line of a connection. */
function shown(fields: EventFields[EventName]): object {
  return 'ledger' in fields ? fields.ledger : fields
}

/** pino-pretty is for development and may not be there. */
function pretty(): NodeJS.WritableStream {
  try {
    const load = createRequire(import.meta.url)
    const make: unknown = load('pino-pretty')
    if (typeof make === 'function') {
      return make({ sync: true, messageKey: 'event' })
    }
  } catch {
    // Without it the lines are JSON, which says the same.
  }
  return process.stdout
}
