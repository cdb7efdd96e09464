/**
 * How much a client may say in one connection, counted.
 *
 * Mail is what it came for, so a message that is accepted sets all but the whole count back: a
 * server that has much to deliver is never too much, one that only talks is.
 */
import type { SmtpLimits } from './limit-options.ts'

/** What was too much. */
export type Excess = 'commands' | 'commands that move no mail' | 'HELO' | 'errors'

/** The commands that a message needs, and the one that ends everything. */
const ofMail = new Set(['MAIL', 'RCPT', 'DATA', 'QUIT'])
const hello = new Set(['HELO', 'EHLO', 'LHLO'])

export class Budget {
  readonly #limits: SmtpLimits
  #commandCount = 0
  #junkCount = 0
  #helloCount = 0
  #errorCount = 0

  constructor(limits: SmtpLimits) {
    this.#limits = limits
  }

  /** Counts a command. @returns What there is too much of with it; null while all is well. */
  spend(verb: string): Excess | null {
    const { commands_max, junk_commands_max, hellos_max } = this.#limits
    this.#commandCount += 1
    if (this.#commandCount > commands_max) return 'commands'
    if (hello.has(verb)) {
      this.#helloCount += 1
      return this.#helloCount > hellos_max ? 'HELO' : null
    }
    if (ofMail.has(verb)) return null
    this.#junkCount += 1
    return this.#junkCount > junk_commands_max ? 'commands that move no mail' : null
  }

  /** Counts a reply that says that the command was wrong (RFC 5321 section 4.2.1: 50z is syntax; 4.1.1.11: 555). */
  answered(code: number): Excess | null {
    if ((code < 500 || code > 504) && code !== 555) return null
    this.#errorCount += 1
    return this.#errorCount >= this.#limits.errors_max ? 'errors' : null
  }

  /** A message was accepted. */
  renew(): void {
    this.#junkCount = 0
    this.#helloCount = 0
    this.#errorCount = 0
  }
}
