/**
 * Finds the end of a message in what a client sends after DATA, and what must not be in it.
 *
 * Only CRLF.CRLF ends a message (RFC 5321 section 4.1.1.4). Some servers take a bare CR or LF for a
 * line end, others do not; where two disagree, one message becomes two ("SMTP smuggling"). So a
 * message with bare newlines or NULs is refused, or mended on its way (mend.ts). Any other passes as
 * it is, dot-stuffing included: there is nothing to take out that would have to be put back.
 *
 * What is ordinary is passed over sixteen bytes at a time (lanes.ts); all else is looked up in a table, byte
 * by byte, so no input makes it slow. Once a message is refused, or known to need mending, only its end
 * is looked for.
 */
import { endMarkFrom, lay, ordinaryUntil } from './lanes.ts'
import { Mender } from './mend.ts'

/** What may be wrong with content. */
export type ContentFault = 'bare-newline' | 'nul' | 'long-line'

export interface ScanRules {
  /** What is put right on the way; other faults are only told. */
  readonly mends: readonly ContentFault[]
  /** Longest line in bytes, without its line end. */
  readonly lineMax: number
}

/** Mends nothing; lines may be of any length. */
const strict: ScanRules = { mends: [], lineMax: Infinity }

export interface Scanned {
  /** Content in this chunk, to be passed on; slices of it, apart from a held-back dot, unless mended. */
  readonly content: readonly Buffer[]
  /** What follows the end of the message; null while it has not ended. */
  readonly rest: Buffer | null
}

const cr = 0x0d
const lf = 0x0a
const dot = 0x2e

/** Where we are in the pattern CR LF . CR LF: in a line, after CR, at the start of a line, and so on. */
const line = 0
const afterCr = 1
const lineStart = 2
const afterDot = 3
const afterDotCr = 4
const end = 5
const states = 7

/** How many bytes are passed over at a time. */
const lanes = 16

/** Added to the state that follows where a byte should not be. */
const bareNewline = 8
const nul = 16
const longLine = 32

const flawOf: Readonly<Record<ContentFault, number>> = {
  'bare-newline': bareNewline,
  nul,
  'long-line': longLine,
}

const nothing = Buffer.alloc(0)
const endMark = Buffer.from('\r\n.\r\n')
/** By state: how much of the end has come. */
const beginnings = [nothing, ...[1, 2, 3, 4].map((count) => endMark.subarray(0, count))]

const loneDot = Buffer.from('.')
const loneDotCr = Buffer.from('.\r')

export class DataScan {
  readonly #mends: number
  readonly #lineMax: number
  /** The message begins at the start of a line: ".CRLF" at once is an empty message. */
  #state = lineStart
  #flaws = 0
  /** Where in the chunk the present line begins; below 0 when it was in one before. */
  #lineFrom = 0
  #mender: Mender | null = null
  #isGivenUp = false

  constructor({ mends, lineMax }: ScanRules = strict) {
    this.#mends = mends.reduce((sum, fault) => sum | flawOf[fault], 0)
    this.#lineMax = lineMax
  }

  /** The worst that is wrong with the message so far; null when all is well. */
  get fault(): ContentFault | null {
    const worst = this.isBeyondMending ? this.#flaws & ~this.#mends : this.#flaws
    if ((worst & bareNewline) !== 0) return 'bare-newline'
    if ((worst & nul) !== 0) return 'nul'
    return worst === 0 ? null : 'long-line'
  }

  /** Whether something is wrong that is not put right. */
  get isBeyondMending(): boolean {
    return (this.#flaws & ~this.#mends) !== 0
  }

  /** The message is refused: from now on only its end matters. */
  giveUp(): void {
    this.#isGivenUp = true
  }

  push(chunk: Buffer): Scanned {
    const before = this.#state
    const endAt = this.#seeksEnd ? this.#seek(chunk) : this.#scan(chunk)
    if (this.#lineMax !== Infinity) this.#measure(chunk, endAt === -1 ? chunk.length : endAt)
    const carried = heldBack(before)
    const rest = endAt === -1 ? null : chunk.subarray(endAt)
    const content =
      endAt === -1
        ? withoutHeld(chunk, carried, heldBack(this.#state))
        : untilEnd(chunk, endAt, carried)
    return { content: this.#mended(content, before), rest }
  }

  /** Whether all that could still be found out is where the message ends. */
  get #seeksEnd(): boolean {
    return this.#isGivenUp || (this.#flaws & this.#mends & bareNewline) !== 0
  }

  /** As #scan, for the end alone, and for NULs that may have to be refused. */
  #seek(chunk: Buffer): number {
    const carried = beginnings[this.#state] ?? nothing
    const seam = Buffer.concat([carried, chunk.subarray(0, endMark.length - 1)])
    const inSeam = seam.indexOf(endMark)
    const at = inSeam === -1 ? indexOfEnd(chunk) : inSeam - carried.length
    const endAt = inSeam === -1 && at === -1 ? -1 : at + endMark.length
    if (chunk.subarray(0, endAt === -1 ? chunk.length : endAt).includes(0)) this.#flaws |= nul
    const tail = chunk.length < beginnings.length ? Buffer.concat([carried, chunk]) : chunk
    this.#state = endAt === -1 ? stateAfter(tail, tail.length) : end
    return endAt
  }

  /** @returns The index after the end of the message; -1 when it is not in this chunk. */
  #scan(chunk: Buffer): number {
    let state = this.#state
    let flaws = this.#flaws
    const to = lay(chunk)
    let at = 0
    // Not again where something stood that was not ordinary, or each byte of such might cost sixteen.
    let passesFrom = 0
    for (; state !== end && at < chunk.length; at += 1) {
      if (at >= passesFrom && mayPass(state, chunk[at] ?? 0)) {
        const passed = ordinaryUntil(at, to, (flaws & this.#mends & nul) === 0)
        if (passed > at) state = stateAfter(chunk, passed)
        at = passed
        passesFrom = at + lanes
      }
      const step = steps[(state << 8) | (chunk[at] ?? 0)] ?? line
      state = step & states
      flaws |= step & ~states
    }
    this.#state = state
    this.#flaws = flaws
    return state === end ? at : -1
  }

  /** A line is too long where more bytes in a row than it may have are no newline. */
  #measure(chunk: Buffer, to: number): void {
    let from = this.#lineFrom
    let isLast = false
    while (!isLast) {
      const next = from + this.#lineMax + 1
      isLast = to < next
      const start = Math.max(from, 0)
      const within = chunk.subarray(start, Math.max(start, Math.min(next, to)))
      const newline = Math.max(within.lastIndexOf(cr), within.lastIndexOf(lf))
      if (newline !== -1) from = start + newline + 1
      else if (!isLast) {
        this.#flaws |= longLine
        from = to
      }
    }
    this.#lineFrom = from - chunk.length
  }

  /** @param before Where the chunk began. */
  #mended(content: readonly Buffer[], before: number): readonly Buffer[] {
    if ((this.#flaws & this.#mends & (bareNewline | nul)) === 0) return content
    this.#mender ??= new Mender(
      before === line ? 'in-line' : before === afterCr ? 'after-cr' : 'line-start',
    )
    return [this.#mender.push(content)]
  }
}

/** What follows each state at each byte. */
const steps = Uint8Array.from({ length: end << 8 }, (_, index) => stepOf(index >> 8, index & 0xff))

function stepOf(state: number, byte: number): number {
  const isAfterCr = state === afterCr || state === afterDotCr
  if (byte === lf) return afterLf(state)
  const fault = isAfterCr ? bareNewline : 0
  const flaw = byte === 0 ? fault | nul : fault
  if (byte === cr) return (state === afterDot ? afterDotCr : afterCr) | flaw
  return (byte === dot && state === lineStart ? afterDot : line) | flaw
}

function afterLf(state: number): number {
  if (state === afterDotCr) return end
  // A bare LF begins no line: a dot after it is content.
  return state === afterCr ? lineStart : line | bareNewline
}

function indexOfEnd(chunk: Buffer): number {
  return chunk.indexOf(endMark, endMarkFrom(0, lay(chunk)))
}

/** Whether what comes before a byte says no more about it, so that one may look from there on only. */
function mayPass(state: number, byte: number): boolean {
  return byte !== lf && (state === line || (state === lineStart && byte !== dot))
}

/** The state at `to`: how much of the end mark stands there. */
function stateAfter(bytes: Buffer, to: number): number {
  const last = bytes[to - 1]
  if (last === lf) return bytes[to - 2] === cr ? lineStart : line
  const isAfterDot = endsInDot(bytes, last === cr ? to - 1 : to)
  if (last === cr) return isAfterDot ? afterDotCr : afterCr
  return isAfterDot ? afterDot : line
}

/** Whether CR LF . ends at `to`. */
function endsInDot(bytes: Buffer, to: number): boolean {
  return bytes[to - 1] === dot && bytes[to - 2] === lf && bytes[to - 3] === cr
}

/** What may be the end of the message, and waits until it is known. */
function heldBack(state: number): Buffer | null {
  if (state === afterDot) return loneDot
  return state === afterDotCr ? loneDotCr : null
}

/** The content up to the end of a chunk; a dot that may be the end waits for what follows. */
function withoutHeld(chunk: Buffer, carried: Buffer | null, held: Buffer | null): Buffer[] {
  const heldCount = held?.length ?? 0
  // "." and "\r" in a chunk each: what was held back before still is.
  if (heldCount > chunk.length) return []
  const own = chunk.subarray(0, chunk.length - heldCount)
  return (carried === null ? [own] : [carried, own]).filter((part) => part.length > 0)
}

/** `at` is just after the LF of the final ".CRLF", which is no content. */
function untilEnd(chunk: Buffer, at: number, carried: Buffer | null): Buffer[] {
  const own = at - '.\r\n'.length
  // Without bytes of its own before the mark, the chunk completes the mark that was held back.
  return own <= 0 ? [] : withoutHeld(chunk.subarray(0, own), carried, null)
}
