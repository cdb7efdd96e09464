/**
 * Failed logins, by network: whoever guesses passwords gets ever less of them tried.
 *
 * An attempt waits before anybody is asked whether it is right, so a right password is not answered
 * sooner than a wrong one: how long it takes tells nothing. All attempts from one network stand in
 * one line, so many connections guess no faster than one. Who has not failed does not wait. A
 * memory that is safe to lose.
 */
import type { Clock, Instant, Ms } from '../core/clock.ts'

/** One attempt to log in, in its place in the line. */
export interface Attempt {
  readonly waitMs: Ms
  /** How many from there have failed, or may yet. */
  readonly failedCount: number
  /** It is over. */
  end(how: 'failed' | 'well' | 'given up'): void
}

interface Line {
  failedCount: number
  pendingCount: number
  /** Before this nobody else has a turn. */
  freeAt: Instant
  failedAt: Instant
}

/** After one failure; each further one doubles it. */
const firstMs: Ms = 1_000
const longestMs: Ms = 20_000
/** Nobody stands in a line that is longer. */
const lineMaxMs: Ms = 60_000
/** Without another failure for so long, all is forgiven. */
const forgottenAfterMs: Ms = 3_600_000
/** Networks remembered; the one not heard of for longest makes room. */
const networksMax = 10_000

export class Logins {
  readonly #clock: Clock
  /** The one heard of last stands last. */
  readonly #lines = new Map<string, Line>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Networks that are remembered. */
  get size(): number {
    return this.#lines.size
  }

  /** @returns null when there are too many before it: it is not to be tried at all. */
  begin(network: string): Attempt | null {
    const now = this.#clock.now()
    const line = this.#lineOf(network, now)
    const failedCount = line.failedCount + line.pendingCount
    const freeAt = Math.max(now, line.freeAt) + pauseAfter(failedCount)
    if (freeAt - now > lineMaxMs) return null
    line.freeAt = freeAt
    line.pendingCount += 1
    this.#put(network, line)
    return {
      waitMs: freeAt - now,
      failedCount,
      end: (how) => {
        line.pendingCount -= 1
        if (how === 'failed') {
          line.failedCount += 1
          line.failedAt = this.#clock.now()
        }
        this.#put(network, line)
      },
    }
  }

  #lineOf(network: string, now: Instant): Line {
    const known = this.#lines.get(network)
    const isOver = known?.pendingCount === 0 && now - known.failedAt > forgottenAfterMs
    if (known !== undefined && !isOver) return known
    return { failedCount: 0, pendingCount: 0, freeAt: now, failedAt: now }
  }

  /** A network is remembered for its failures, and while somebody tries. */
  #put(network: string, line: Line): void {
    this.#lines.delete(network)
    if (line.failedCount === 0 && line.pendingCount === 0) return
    this.#lines.set(network, line)
    if (this.#lines.size <= networksMax) return
    const [oldest = ''] = this.#lines.keys()
    this.#lines.delete(oldest)
  }
}

function pauseAfter(failedCount: number): Ms {
  return failedCount === 0 ? 0 : Math.min(longestMs, firstMs * 2 ** (failedCount - 1))
}
