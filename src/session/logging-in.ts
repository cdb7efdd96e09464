/**
 * AUTH: the back end says whether a login is right; here is how often and how fast it is asked.
 *
 * Who has failed waits before the next attempt, and after too many hears 421. Neither names nor
 * passwords are written down: people type the one where the other belongs.
 */
import type { Ms } from '../core/clock.ts'
import type { Reaction } from '../core/ledger.ts'
import { isPositive, type Reply, reply } from '../core/reply.ts'
import type { Attempt, Logins } from '../memory/logins.ts'
import { ClientLeft } from './ended.ts'
import type { MailVisit, PatienceParts } from './patience.ts'

export interface LoggingInParts extends PatienceParts {
  readonly logins: Logins
  /** How many attempts of one connection may fail. */
  readonly failedLoginsMax: number
}

const tooMany = reply(421, '4.7.0', 'Too many failed logins')
const notNow = reply(454, '4.7.0', 'Too many logins at once; try again later')

/** The most suspicious there is: its place is not given to somebody else. */
const suspicion = 100

export class LoggingIn {
  readonly #visit: MailVisit
  readonly #parts: LoggingInParts
  /** In which line it stands: that of its network, or its own where that says nothing. */
  readonly #line: string
  #failedCount = 0

  constructor(visit: MailVisit, parts: LoggingInParts) {
    this.#visit = visit
    this.#parts = parts
    const { client, ledger } = visit
    this.#line = ledger.addressHidden ? client.id : client.ip.network
  }

  /**
   * @param ask Asks the back end.
   * @throws Why the client is gone, as soon as it is.
   */
  async attempt(ask: () => Promise<Reply>): Promise<Reply> {
    const { logins, failedLoginsMax } = this.#parts
    const attempt = this.#failedCount < failedLoginsMax ? logins.begin(this.#line) : null
    if (attempt === null) return this.#refused()
    let end: Parameters<Attempt['end']>[0] = 'given up'
    try {
      if (!(await this.#waits(attempt))) return notNow
      const answer = await ask()
      end = isPositive(answer) ? 'well' : isWrong(answer) ? 'failed' : 'given up'
      return answer
    } finally {
      attempt.end(end)
      if (end === 'failed') this.#failed()
    }
  }

  /** @returns Whether it did. */
  async #waits({ waitMs, failedCount }: Attempt): Promise<boolean> {
    const { observeOnly, delay, clock } = this.#parts
    if (observeOnly || waitMs === 0 || this.#visit.screening.isKnownGood()) return true
    const startedAt = clock.now()
    const { leaving } = this.#visit
    let reaction: Reaction = 'waited'
    try {
      reaction = await delay.holder.hold({ ms: waitMs, suspicion, leaving })
      return reaction === 'waited'
    } catch (reason) {
      reaction = reason instanceof ClientLeft ? 'left' : 'released'
      throw reason
    } finally {
      this.#note(failedCount, waitMs, clock.now() - startedAt, reaction)
    }
  }

  #note(failedCount: number, plannedMs: Ms, waitedMs: Ms, reaction: Reaction): void {
    const evidence = `${failedCount} from ${this.#line}`
    this.#visit.ledger.entries.push({
      stage: 'login',
      reasons: [{ name: 'failed-logins', evidence, weight: suspicion }],
      excuses: [],
      targetMs: plannedMs,
      lookupMs: 0,
      plannedMs,
      waitedMs: Math.round(waitedMs),
      reaction,
      observed: false,
    })
  }

  #failed(): void {
    this.#failedCount += 1
    const client = this.#visit.client.ip.text
    this.#parts.log.event('login.failed', { client, count: this.#failedCount })
  }

  #refused(): Reply {
    this.#parts.log.event('login.refused', { client: this.#visit.client.ip.text })
    return tooMany
  }
}

/** Only this says that the password is wrong (RFC 4954 section 6); others tell of the back end. */
function isWrong({ code }: Reply): boolean {
  return code === 535 || code === 534
}
