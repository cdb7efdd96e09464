/**
 * A connection as a file tells of it, whichever file: what `treacle replay` judges.
 *
 * The readers (read-tsv, read-exim, read-postfix) take lines and hand over connections. A line that
 * they cannot read is counted and told of; it never ends a replay, for a log is long and strangers
 * write parts of it.
 */
import type { Ip } from '../core/ip.ts'
import type { Hearsay } from '../session/judge.ts'

export type NameState = Hearsay['nameState']

export interface Recorded {
  /** Where it is first told of. */
  readonly line: number
  /** What became of it: "spam" or "ham" in a labelled file; in a log "accepted", "refused" or "no mail". */
  readonly label: string
  /** The collection it is from; "" where the file is all one. */
  readonly source: string
  /** Which step of the way of the mail it is ("final", "list"); "" where the file does not tell. */
  readonly hop: string
  readonly ip: Ip
  /** The name of the address as it was recorded, in lower case; "" for none. */
  readonly name: string
  readonly nameState: NameState
  /** "" when it is not known. */
  readonly helo: string
  /** "" for the null sender, "@example.org" where only the domain is known, null when nothing is. */
  readonly sender: string | null
  /** None where they are not known. */
  readonly recipients: readonly string[]
  /** What it said before the greeting; null when that is not known or was nothing. */
  readonly earlyTalk: string | null
  /** It had logged in, so that nobody would have made it wait. */
  readonly authenticated: boolean
}

/** Where a reader puts what it reads. */
export interface Sink {
  readonly connection: (recorded: Recorded) => void
  /** A line that means nothing. `expected` completes "line 7: expected ...". */
  readonly bad: (line: number, expected: string) => void
}

/** Reads one file, line by line. */
export interface Reader {
  /** @param line The number of the line, from 1. */
  push(text: string, line: number): void
  /** The file is over: hands over what it still holds. */
  end(): void
}
