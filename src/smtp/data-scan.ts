/**
 * Finds the end of a message in what a client sends after DATA, and what must not be in it.
 *
 * Only CRLF.CRLF ends a message (RFC 5321 section 4.1.1.4). Some servers take a bare CR or LF for a
 * line end, others do not; where two disagree, one message becomes two ("SMTP smuggling"). So a
 * message with bare newlines or NULs is passed on nowhere. Otherwise bytes pass as they are,
 * dot-stuffing included: there is nothing to take out that would have to be put back.
 *
 * One pass, one comparison for most bytes; no input makes it slow.
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

/** Where we are in the pattern CR LF . CR LF. */
type State = 'line' | 'cr' | 'start' | 'dot' | 'dot-cr'

const heldBack: Readonly<Record<State, Buffer | null>> = {
  line: null,
  cr: null,
  start: null,
  dot: Buffer.from('.'),
  'dot-cr': Buffer.from('.\r'),
}

export class DataScan {
  /** The message begins at the start of a line: ".CRLF" at once is an empty message. */
  #state: State = 'start'
  #fault: ContentFault | null = null

  get fault(): ContentFault | null {
    return this.#fault
  }

  push(chunk: Buffer): Scanned {
    const carried = heldBack[this.#state]
    let state = this.#state
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      if (byte > cr && state === 'line') continue
      if (byte === lf && state === 'dot-cr') return ended(chunk, at + 1, carried)
      if (byte <= cr || isAfterCr(state)) this.#fault ??= faultOf(state, byte)
      state = next(state, byte)
    }
    this.#state = state
    return { content: withoutHeld(chunk, carried, heldBack[state]), rest: null }
  }
}

function next(state: State, byte: number): State {
  // A bare LF begins no line: a dot after it is content.
  if (byte === lf) return isAfterCr(state) ? 'start' : 'line'
  if (byte === cr) return state === 'dot' ? 'dot-cr' : 'cr'
  return byte === dot && state === 'start' ? 'dot' : 'line'
}

function faultOf(state: State, byte: number): ContentFault | null {
  if (isAfterCr(state) !== (byte === lf)) return 'bare-newline'
  return byte === 0 ? 'nul' : null
}

function isAfterCr(state: State): boolean {
  return state === 'cr' || state === 'dot-cr'
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
