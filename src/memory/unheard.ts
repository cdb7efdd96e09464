/**
 * Messages that the back end has taken while the client may not have heard so.
 *
 * A client that misses the last reply sends the message again, and its recipient gets it twice (RFC
 * 1047). Only fingerprints are kept, a bounded number of them, for a bounded time. It is a cache: to
 * lose it costs a duplicate and never a message, so what goes wrong with its file is said once and
 * otherwise ignored.
 *
 * The file is a journal, one line for each thing remembered or forgotten, written before the client
 * is answered; it outlives a process that is killed, though not always a power failure.
 */
import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { MemoryOptions } from './options.ts'

/** What makes a message the same message. */
export interface Fingerprinted {
  /** The network the client is in. */
  readonly network: string
  readonly sender: string
  readonly recipients: readonly string[]
  /** A hash of all that the client sent after DATA. */
  readonly digest: string
}

export function fingerprintOf({ network, sender, recipients, digest }: Fingerprinted): string {
  const parts = [network, sender, [...recipients].sort(), digest]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

export class Unheard {
  readonly #clock: Clock
  readonly #report: (why: string) => void
  #options: MemoryOptions
  /** When each was remembered, as time of day in milliseconds; oldest first. */
  readonly #rememberedAt = new Map<string, number>()
  /** Messages that have ended and whose verdict is still to come. */
  readonly #awaited = new Map<string, Promise<unknown>>()
  #lineCount = 0
  /** True after a failed write: the file may end in half a line. */
  #broken = false

  /** @param report Hears, once each time it begins, why the file cannot be used. */
  constructor(options: MemoryOptions, clock: Clock, report: (why: string) => void) {
    this.#options = options
    this.#clock = clock
    this.#report = report
    this.#load()
  }

  get count(): number {
    return this.#rememberedAt.size
  }

  /** What is remembered stays, as far as the new settings allow. */
  configure(options: MemoryOptions): void {
    const { unheard, unheard_file: file } = this.#options
    this.#options = options
    if (options.unheard !== unheard || options.unheard_file !== file) this.#load()
  }

  has(fingerprint: string): boolean {
    const at = this.#rememberedAt.get(fingerprint)
    // A clock that was set back must not make anything live for ever.
    return at !== undefined && Math.abs(this.#now() - at) < this.#options.unheard_for
  }

  /**
   * True when this message has been taken already and its client may not know.
   *
   * The client may be back before the back end has judged the first copy; then that is waited for.
   */
  async hasBeenTaken(fingerprint: string): Promise<boolean> {
    for (;;) {
      const verdict = this.#awaited.get(fingerprint)
      if (verdict === undefined) return this.has(fingerprint)
      await verdict
    }
  }

  /** The verdict on this message is awaited until the promise settles. */
  await(fingerprint: string, verdict: Promise<unknown>): void {
    const settled = verdict.then(
      () => this.#awaited.delete(fingerprint),
      () => this.#awaited.delete(fingerprint),
    )
    this.#awaited.set(fingerprint, settled)
  }

  remember(fingerprint: string): void {
    this.#insert(fingerprint, this.#now())
    this.#append(`+ ${fingerprint} ${this.#now()}\n`)
  }

  forget(fingerprint: string): void {
    if (this.#rememberedAt.delete(fingerprint)) this.#append(`- ${fingerprint}\n`)
  }

  #now(): number {
    return this.#clock.wall().getTime()
  }

  #insert(fingerprint: string, at: number): void {
    this.#rememberedAt.delete(fingerprint)
    this.#rememberedAt.set(fingerprint, at)
    for (const [oldest] of this.#rememberedAt) {
      if (this.#rememberedAt.size <= this.#options.unheard_max && this.has(oldest)) break
      this.#rememberedAt.delete(oldest)
    }
  }

  #append(line: string): void {
    const { unheard, unheard_file: file, unheard_max: max } = this.#options
    if (!unheard || file === '') return
    this.#lineCount += 1
    if (this.#lineCount > 2 * max + 100) return this.#compact()
    this.#attempt(() => appendFileSync(file, this.#broken ? `\n${line}` : line, { mode: 0o600 }))
  }

  /** Writes the journal anew, without what has been forgotten. */
  #compact(): void {
    const file = this.#options.unheard_file
    const lines = [...this.#rememberedAt].map(([print, at]) => `+ ${print} ${at}\n`)
    this.#lineCount = lines.length
    this.#attempt(() => {
      writeFileSync(`${file}.new`, lines.join(''), { mode: 0o600 })
      renameSync(`${file}.new`, file)
    })
  }

  #load(): void {
    const { unheard, unheard_file: file } = this.#options
    if (!unheard || file === '') return
    for (const line of readLines(file)) {
      const [, verb, print = '', at = '0'] = /^([+-]) ([0-9a-f]{64})(?: (\d+))?$/.exec(line) ?? []
      if (verb === '+') this.#insert(print, Number(at))
      else this.#rememberedAt.delete(print)
    }
    this.#compact()
  }

  #attempt(write: () => void): void {
    try {
      write()
      this.#broken = false
    } catch (error) {
      const { unheard_file: file } = this.#options
      const why = `unheard messages cannot be kept in ${file}: ${messageOf(error)}`
      if (!this.#broken) this.#report(why)
      this.#broken = true
    }
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    // Nothing has been kept yet, or it cannot be read; writing will tell.
    return []
  }
}
