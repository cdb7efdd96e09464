/**
 * Finds the end of a message in what a client sends after DATA, and what must not be in it.
 *
 * Only CRLF.CRLF ends a message (RFC 5321 section 4.1.1.4). Some servers take a bare CR or LF for a
 * line end, others do not; where two disagree, one message becomes two ("SMTP smuggling"). So a
 * message with bare newlines or NULs is passed on nowhere. Otherwise bytes pass as they are,
 * dot-stuffing included: there is nothing to take out that would have to be put back.
 *
 * One pass, one comparison for most bytes, whatever they are.
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
    const length = chunk.length
    let at = 0
    while (at < length) {
      if (this.#state === 'line') {
        at = this.#skipLine(chunk, at)
        continue
      }
      const byte = chunk[at] ?? 0
      at += 1
      if (this.#state === 'dot-cr' && byte === lf) return ended(chunk, at, carried)
      this.#step(byte)
    }
    return { content: this.#soFar(chunk, carried), rest: null }
  }

  /** Runs to the next byte that is CR, LF or NUL, and takes it. */
  #skipLine(chunk: Buffer, from: number): number {
    const length = chunk.length
    let at = from
    for (; at < length; at += 1) {
      const byte = chunk[at] ?? 0
      if (byte > cr) continue
      if (byte === cr || byte === lf || byte === 0) {
        this.#step(byte)
        return at + 1
      }
    }
    return at
  }

  #step(byte: number): void {
    const afterCr = this.#state === 'cr' || this.#state === 'dot-cr'
    if (afterCr !== (byte === lf)) this.#fault ??= 'bare-newline'
    if (byte === 0) this.#fault ??= 'nul'
    this.#state = this.#next(byte, afterCr)
  }

  #next(byte: number, afterCr: boolean): State {
    // A bare LF begins no line: a dot after it is content.
    if (byte === lf) return afterCr ? 'start' : 'line'
    if (byte === cr) return this.#state === 'dot' ? 'dot-cr' : 'cr'
    return this.#state === 'start' && byte === dot ? 'dot' : 'line'
  }

  /** The content up to here; a dot that may be the end waits for what follows. */
  #soFar(chunk: Buffer, carried: Buffer | null): Buffer[] {
    const held = heldBack[this.#state]?.length ?? 0
    // The held-back bytes of this chunk may be older than the chunk: ".", "\r" in one each.
    const stillCarried = carried !== null && held > chunk.length
    if (stillCarried) return []
    const own = chunk.subarray(0, chunk.length - held)
    return (carried === null ? [own] : [carried, own]).filter((part) => part.length > 0)
  }
}

/** `at` is just after the LF of the final ".CRLF", which is no content. */
function ended(chunk: Buffer, at: number, carried: Buffer | null): Scanned {
  const mark = 3
  const own = at - mark
  // Part of the mark came in earlier chunks and was held back then.
  const content = own > 0 ? [...(carried === null ? [] : [carried]), chunk.subarray(0, own)] : []
  return { content: own >= 0 ? content : [], rest: chunk.subarray(at) }
}
