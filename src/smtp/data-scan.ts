/**
 * Finds the end of a message in what a client sends after DATA, and what must not be in it.
 *
 * Only CRLF.CRLF ends a message (RFC 5321 section 4.1.1.4). Some servers take a bare CR or LF for a
 * line end, others do not; where two disagree, one message becomes two ("SMTP smuggling"). So a
 * message with bare newlines or NULs is passed on nowhere. Otherwise bytes pass as they are,
 * dot-stuffing included: there is nothing to take out that would have to be put back.
 *
 * One pass over the bytes and one look into a table for each that means something, so no input makes
 * it slow.
 */

/** What is wrong with the content; the first fault counts. */
export type ContentFault = 'bare-newline' | 'nul'

export interface Scanned {
  /** Content in this chunk, to be passed on; slices of it, apart from a held-back dot. */
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

/** Added to the state that follows where a byte should not be. */
const bareNewline = 8
const nul = 16

const loneDot = Buffer.from('.')
const loneDotCr = Buffer.from('.\r')

export class DataScan {
  /** The message begins at the start of a line: ".CRLF" at once is an empty message. */
  #state = lineStart
  #fault: ContentFault | null = null

  get fault(): ContentFault | null {
    return this.#fault
  }

  push(chunk: Buffer): Scanned {
    const carried = heldBack(this.#state)
    let state = this.#state
    for (let at = 0; at < chunk.length; at += 1) {
      if (state === line) at = skipLine(chunk, at)
      if (at === chunk.length) break
      const step = steps[(state << 8) | (chunk[at] ?? 0)] ?? line
      if (step === end) return ended(chunk, at + 1, carried)
      if (step > end) this.#fault ??= faultIn(step)
      state = step & 7
    }
    this.#state = state
    return { content: withoutHeld(chunk, carried, heldBack(state)), rest: null }
  }
}

/** Where the next byte is that means something in the middle of a line, or the end of the chunk. */
function skipLine(chunk: Buffer, from: number): number {
  let at = from
  while (at < chunk.length && (chunk[at] ?? 0) > cr) at += 1
  return at
}

/** What follows each state at each byte. */
const steps = Uint8Array.from({ length: end << 8 }, (_, index) => stepOf(index >> 8, index & 0xff))

function stepOf(state: number, byte: number): number {
  const isAfterCr = state === afterCr || state === afterDotCr
  if (byte === lf) return afterLf(state)
  const fault = isAfterCr ? bareNewline : byte === 0 ? nul : 0
  if (byte === cr) return (state === afterDot ? afterDotCr : afterCr) | fault
  return (byte === dot && state === lineStart ? afterDot : line) | fault
}

function afterLf(state: number): number {
  if (state === afterDotCr) return end
  // A bare LF begins no line: a dot after it is content.
  return state === afterCr ? lineStart : line | bareNewline
}

function faultIn(step: number): ContentFault {
  return (step & bareNewline) === 0 ? 'nul' : 'bare-newline'
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
function ended(chunk: Buffer, at: number, carried: Buffer | null): Scanned {
  const own = at - '.\r\n'.length
  // Without bytes of its own before the mark, the chunk completes the mark that was held back.
  const content = own <= 0 ? [] : withoutHeld(chunk.subarray(0, own), carried, null)
  return { content, rest: chunk.subarray(at) }
}
