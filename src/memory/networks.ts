/**
 * Which networks have been here. A memory that is safe to lose: without it everybody is new.
 *
 * Bounded; the one not seen for longest makes room. Kept in a file over a restart where there is one,
 * a line for each network.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { MemoryOptions } from './options.ts'

export class Networks {
  readonly #clock: Clock
  readonly #options: MemoryOptions
  readonly #report: (why: string) => void
  /** When each was seen last, as time of day; the one seen last stands last. */
  readonly #seenAt = new Map<string, number>()

  /** @param report Hears why something could not be kept or read. */
  constructor(clock: Clock, options: MemoryOptions, report: (why: string) => void) {
    this.#clock = clock
    this.#options = options
    this.#report = report
    if (options.file !== '') this.#load(options.file)
  }

  get size(): number {
    return this.#seenAt.size
  }

  /** Whether somebody of this network has been here within the time that is remembered. */
  knows(network: string): boolean {
    const at = this.#seenAt.get(network)
    return at !== undefined && this.#clock.wall().getTime() - at <= this.#options.keep
  }

  remember(network: string): void {
    this.#put(network, this.#clock.wall().getTime())
  }

  /** Writes the file, if there is one. */
  save(): void {
    const { file } = this.#options
    if (file === '') return
    const lines = [...this.#seenAt].map(([network, at]) => `${at} ${network}\n`)
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o750 })
      writeFileSync(`${file}.new`, lines.join(''), { mode: 0o640 })
      renameSync(`${file}.new`, file)
    } catch (error) {
      this.#report(`the networks seen cannot be kept in ${file}: ${messageOf(error)}`)
    }
  }

  #put(network: string, at: number): void {
    this.#seenAt.delete(network)
    this.#seenAt.set(network, at)
    if (this.#seenAt.size <= this.#options.networks_max) return
    const [oldest] = this.#seenAt.keys()
    if (oldest !== undefined) this.#seenAt.delete(oldest)
  }

  #load(file: string): void {
    try {
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        const [, at, network] = /^(\d{1,15}) ([0-9a-f:.]+\/\d{1,3})$/.exec(line) ?? []
        if (network !== undefined) this.#put(network, Number(at))
      }
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      // Before the first stop there is no file; that is no failure.
      if (!isMissing) this.#report(`the networks seen cannot be read: ${messageOf(error)}`)
    }
  }
}
