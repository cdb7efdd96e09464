/**
 * The header of a message on its way through: forged headers of ours are left out, Received lines
 * are counted (RFC 5321 section 6.3), everything else passes as it came.
 *
 * Works on the bytes as they are on the wire, so a line may begin with a dot that the back end will
 * take off. Pieces are slices of what came in; of a line that is cut by the end of a chunk only the
 * first bytes are kept back, until its name is known.
 */

/** No header name that matters is longer. A line that may still be a field after this counts as one. */
const decideAfter = 128

const lf = 0x0a
const colon = 0x3a
const dot = 0x2e

type Verdict = 'undecided' | 'keep' | 'drop'

export class HeaderFilter {
  readonly #forged: readonly Buffer[]
  #receivedCount = 0
  #headerCount = 0
  #over = false
  /** What to do with the line we are in. */
  #verdict: Verdict = 'undecided'
  /** What became of the last field, to which a continuation line belongs. */
  #field: Verdict = 'keep'
  /** What became of the piece just taken. */
  #dropped = false
  #held: Buffer = empty
  #firstLine = true

  /** @param forged Names to leave out, lower case; one that ends in "-" stands for all that begin so. */
  constructor(forged: readonly string[]) {
    this.#forged = forged.map((name) => Buffer.from(name))
  }

  get receivedCount(): number {
    return this.#receivedCount
  }

  /** Takes the next bytes of a message and gives the pieces of them that go on. */
  push(chunk: Buffer): Buffer[] {
    if (this.#over) return [chunk]
    const bytes = joined(this.#held, chunk)
    const pieces: Buffer[] = []
    let keptFrom = 0
    let start = 0
    while (start < bytes.length && !this.#over) {
      const end = this.#line(bytes, start)
      if (end === start) break
      if (this.#dropped) {
        if (start > keptFrom) pieces.push(bytes.subarray(keptFrom, start))
        keptFrom = end
      }
      start = end
    }
    const keptTo = this.#over ? bytes.length : start
    if (keptTo > keptFrom) pieces.push(bytes.subarray(keptFrom, keptTo))
    this.#headerCount += start
    this.#held = bytes.subarray(keptTo)
    return pieces
  }

  /** How many bytes the header has, as far as it has come. */
  get headerCount(): number {
    return this.#headerCount
  }

  /** Whether something is held back, as a slice of what was pushed. */
  get holds(): boolean {
    return this.#held.length > 0
  }

  /** What is still held back when the message ends in the middle of a header line. */
  end(): Buffer {
    return this.#held
  }

  /** Takes one line, or what there is of it. @returns Where the next begins; `start` when it is too short to judge. */
  #line(bytes: Buffer, start: number): number {
    const newline = newlineIn(bytes, start)
    const end = newline === -1 ? bytes.length : newline + 1
    if (this.#verdict === 'undecided') this.#verdict = this.#judge(bytes, start, end)
    if (this.#verdict === 'undecided') return start
    this.#dropped = this.#verdict === 'drop'
    if (newline !== -1) this.#verdict = 'undecided'
    return end
  }

  /** Settles what becomes of the line from `start` to `end`, or of what there is of it by now. */
  #judge(bytes: Buffer, start: number, end: number): Verdict {
    const from = bytes[start] === dot ? start + 1 : start
    if (from === end) return 'undecided'
    if (isBlank(bytes[from])) return this.#field
    const limit = Math.min(end, from + decideAfter)
    let at = from
    while (at < limit && isNameByte(bytes[at])) at += 1
    const nameEnd = at
    while (at < limit && isBlank(bytes[at])) at += 1
    if (at === limit && limit < from + decideAfter) return 'undecided'
    const isField = at === limit || (bytes[at] === colon && nameEnd > from)
    this.#field = isField ? this.#ofField(bytes, from, nameEnd) : this.#noField(bytes, from)
    this.#firstLine = false
    return this.#field
  }

  #ofField(bytes: Buffer, from: number, to: number): Verdict {
    if (isNamed(bytes, from, to, received)) this.#receivedCount += 1
    for (const own of this.#forged) if (isNamed(bytes, from, to, own)) return 'drop'
    return 'keep'
  }

  /** The empty line ends the header; so does anything that is no field, but for the "From " of an mbox. */
  #noField(bytes: Buffer, from: number): Verdict {
    const head = bytes.toString('latin1', from, from + 6)
    if (!(this.#firstLine && /^>?From /.test(head))) this.#over = true
    return 'keep'
  }
}

const empty = Buffer.alloc(0)

function joined(held: Buffer, chunk: Buffer): Buffer {
  return held.length === 0 ? chunk : Buffer.concat([held, chunk])
}

const received = Buffer.from('received')
const hyphen = 0x2d

/** Most lines are shorter than it takes to ask Buffer.indexOf, which is quicker with the others. */
const shortLine = 80

function newlineIn(bytes: Buffer, from: number): number {
  const near = Math.min(from + shortLine, bytes.length)
  let at = from
  while (at < near && bytes[at] !== lf) at += 1
  return at < near ? at : bytes.indexOf(lf, at)
}

/** @param own Lower case; one that ends in "-" stands for all that begin so. */
function isNamed(bytes: Buffer, from: number, to: number, own: Buffer): boolean {
  const rest = to - from - own.length
  if (rest < 0 || (rest > 0 && own[own.length - 1] !== hyphen)) return false
  for (let at = 0; at < own.length; at += 1) {
    // What has this bit anyway are small letters, digits and the hyphen.
    if (((bytes[from + at] ?? 0) | 0x20) !== own[at]) return false
  }
  return true
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09
}

/** RFC 5322 section 2.2, and what is no ASCII, since it does not end a header everywhere. */
function isNameByte(byte: number | undefined): boolean {
  return byte !== undefined && byte > 0x20 && byte !== colon && byte !== 0x7f
}
