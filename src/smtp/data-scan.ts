/**
 * Finds the end of a message in what a client sends after DATA, and what must not be in it.
 *
 * Only CRLF.CRLF ends a message (RFC 5321 section 4.1.1.4). Some servers take a bare CR or LF for a
 * line end, others do not; where two disagree, one message becomes two ("SMTP smuggling"). So a
 * message with bare newlines or NULs is refused, or mended on its way (mend.ts). Any other passes as
 * it is, dot-stuffing included: there is nothing to take out that would have to be put back.
 *
 * One pass over the bytes, and for all but text and well-formed line ends one look into a table each, so no input makes
 * it slow. Once a message is refused, or known to need mending, only its end is looked for.
 */
import { Mender } from './mend.ts'
import { skipText, wordsOf } from './text-run.ts'

/** What may be wrong with content. */
export type ContentFault = 'bare-newline' | 'nul' | 'long-line'

export interface ScanRules {
  /** What is put right on the way; other faults are only told. */
  readonly mends: readonly ContentFault[]
  /** Longest line in bytes, without its CR LF. */
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

/** How long CR LF is. */
const newline = 2

/** Added to the state that follows where a byte should not be. */
const bareNewline = 8
const nul = 16
const longLine = 32
/** Added where a line ends, well or not. */
const lineEnd = 64

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
    const isMended = (this.#flaws & this.#mends & bareNewline) !== 0 && this.#lineMax === Infinity
    return this.#isGivenUp || isMended
  }

  /** As #scan, for the end alone, and for NULs that may have to be refused. */
  #seek(chunk: Buffer): number {
    const carried = beginnings[this.#state] ?? nothing
    const seam = Buffer.concat([carried, chunk.subarray(0, endMark.length - 1)])
    const inSeam = seam.indexOf(endMark)
    const at = inSeam === -1 ? chunk.indexOf(endMark) : inSeam - carried.length
    const endAt = inSeam === -1 && at === -1 ? -1 : at + endMark.length
    if (chunk.subarray(0, endAt === -1 ? chunk.length : endAt).includes(0)) this.#flaws |= nul
    this.#state = endAt === -1 ? stateAfter(Buffer.concat([carried, chunk.subarray(-4)])) : end
    return endAt
  }

  /** @returns The index after the end of the message; -1 when it is not in this chunk. */
  #scan(chunk: Buffer): number {
    let state = this.#state
    let flaws = this.#flaws
    const measures = this.#lineMax !== Infinity
    const words = wordsOf(chunk)
    let at = 0
    for (; state !== end; at += 1) {
      if (state === line) at = skipText(chunk, words, at, measures)
      if (at >= chunk.length) break
      const step = steps[(state << 8) | (chunk[at] ?? 0)] ?? line
      state = step & states
      flaws |= step & (bareNewline | nul)
      if (measures && (step & lineEnd) !== 0) this.#lineEnds(at + 1)
    }
    this.#state = state
    this.#flaws |= flaws
    // The last may never end, apart from its CR that is here already; it begins before the next chunk.
    if (state !== end) this.#lineEnds(chunk.length + 1, this.#lineFrom - chunk.length)
    return state === end ? at : -1
  }

  /** @param next Where the next line begins. */
  #lineEnds(to: number, next = to): void {
    if (to - this.#lineFrom > this.#lineMax + newline) this.#flaws |= longLine
    this.#lineFrom = next
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
  if (byte === lf) return afterLf(state) | lineEnd
  const fault = isAfterCr ? bareNewline | lineEnd : 0
  const flaw = byte === 0 ? fault | nul : fault
  if (byte === cr) return (state === afterDot ? afterDotCr : afterCr) | flaw
  return (byte === dot && state === lineStart ? afterDot : line) | flaw
}

function afterLf(state: number): number {
  if (state === afterDotCr) return end
  // A bare LF begins no line: a dot after it is content.
  return state === afterCr ? lineStart : line | bareNewline
}

/** @param bytes The last that have come, four at least if there were as many. */
function stateAfter(bytes: Buffer): number {
  const ends = (count: number) => bytes.subarray(-count).equals(endMark.subarray(0, count))
  return [afterDotCr, afterDot, lineStart, afterCr].find(ends) ?? line
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
