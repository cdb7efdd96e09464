/**
 * The header of a message on its way through: forged headers of ours are left out, Received lines
 * are counted (RFC 5321 section 6.3), everything else passes as it came.
 *
 * Works on the bytes as they are on the wire. Pieces are slices of what came in; of a line that is
 * cut by the end of a chunk only the first bytes are kept back, until its name is known.
 */

/** No header name that matters is longer. */
const decideAfter = 128

type Verdict = 'undecided' | 'keep' | 'drop'

export class HeaderFilter {
  readonly #forged: readonly string[]
  #receivedCount = 0
  #over = false
  /** What to do with the line we are in, and with its continuation lines. */
  #verdict: Verdict = 'undecided'
  #held: Buffer<ArrayBufferLike> = empty
  #firstLine = true
  /** The verdict on the field that a continuation line would belong to. */
  #field: Verdict = 'keep'

  /** @param forged Names to leave out, lower case; one that ends in "-" stands for all that begin so. */
  constructor(forged: readonly string[]) {
    this.#forged = forged
  }

  get receivedCount(): number {
    return this.#receivedCount
  }

  /** Takes the next bytes of a message and gives the pieces of them that go on. */
  push(chunk: Buffer): Buffer[] {
    if (this.#over) return [chunk]
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = empty
    const kept: Buffer[] = []
    let start = 0
    while (start < bytes.length && !this.#over) {
      const end = this.#line(bytes, start, kept)
      if (end === start) break
      start = end
    }
    if (this.#over) keep(kept, bytes, start, bytes.length)
    else this.#held = bytes.subarray(start)
    return kept
  }

  /** What is still held back when the message ends in the middle of a header line. */
  end(): Buffer {
    return this.#held
  }

  /** Takes one line, or what there is of it. @returns Where the next begins; `start` when it is too short to judge. */
  #line(bytes: Buffer, start: number, kept: Buffer[]): number {
    const newline = bytes.indexOf(0x0a, start)
    const complete = newline !== -1
    const end = complete ? newline + 1 : bytes.length
    if (!this.#decide(bytes.subarray(start, end), complete)) return start
    if (this.#verdict === 'keep') keep(kept, bytes, start, end)
    if (complete) this.#verdict = 'undecided'
    return end
  }

  /** Settles what becomes of the line that `piece` begins or continues; false when it is too short to tell. */
  #decide(piece: Buffer, complete: boolean): boolean {
    if (this.#verdict !== 'undecided') return true
    const first = piece[0]
    if (first === 0x20 || first === 0x09) {
      this.#verdict = this.#field
      return true
    }
    const head = piece.subarray(0, decideAfter).toString('latin1')
    const name = /^([!-9;-~]+)[ \t]*:/.exec(head)?.[1]?.toLowerCase()
    if (name === undefined && !complete && piece.length < decideAfter) return false
    this.#verdict = name === undefined ? this.#noField(head) : this.#ofField(name)
    this.#field = this.#verdict
    this.#firstLine = false
    return true
  }

  #ofField(name: string): Verdict {
    if (name === 'received') this.#receivedCount += 1
    const forged = this.#forged.some((own) =>
      own.endsWith('-') ? name.startsWith(own) : name === own,
    )
    return forged ? 'drop' : 'keep'
  }

  /** The empty line ends the header; so does anything that is no field, but for the "From " of an mbox. */
  #noField(head: string): Verdict {
    if (!(this.#firstLine && /^>?From /.test(head))) this.#over = true
    return 'keep'
  }
}

const empty: Buffer<ArrayBufferLike> = Buffer.alloc(0)

/** Adds a slice, joining it to the one before where they touch. */
function keep(pieces: Buffer[], bytes: Buffer, start: number, end: number): void {
  const last = pieces.at(-1)
  const slice = bytes.subarray(start, end)
  if (slice.length === 0) return
  if (
    last !== undefined &&
    last.buffer === slice.buffer &&
    last.byteOffset + last.length === slice.byteOffset
  ) {
    pieces[pieces.length - 1] = Buffer.from(
      last.buffer,
      last.byteOffset,
      last.length + slice.length,
    )
  } else {
    pieces.push(slice)
  }
}
