/**
 * Takes the lines out of what a client sends between messages.
 *
 * Only CR LF ends a line (RFC 5321 section 2.3.8). A line that a bare LF ends, or with a bare CR in
 * it, is two commands to some servers and one to others, so it is neither: it is a fault. Of a line
 * that is not finished a copy is kept, so that not even a client that sends single bytes holds on
 * to the buffers they came in.
 */

/** A line without its CR LF, or what is wrong with what came instead of one. */
export type Line =
  | { readonly kind: 'line'; readonly bytes: Buffer }
  | { readonly kind: 'bare-newline' }
  /** Longer than may be, finished or not: what there may be of it. What is beyond has not been taken. */
  | { readonly kind: 'too-long'; readonly begins: Buffer }
  /** The first byte of a TLS handshake, which no command begins with. */
  | { readonly kind: 'tls' }

const lf = 0x0a
const cr = 0x0d
const tlsHandshake = 0x16

export class LineReader {
  readonly #lineMax: number
  #chunk: Buffer<ArrayBufferLike> = empty
  /** Where in the chunk the next line begins. */
  #at = 0
  /** The beginning of a line whose end has not come; room for more behind it. */
  #kept: Buffer = empty
  #keptCount = 0

  /** @param lineMax Longest line in bytes, without its CR LF. */
  constructor(lineMax: number) {
    this.#lineMax = lineMax
  }

  /** More bytes; what came before has been taken. */
  push(chunk: Buffer): void {
    this.#chunk = chunk
    this.#at = 0
  }

  /** Whether more has come than what has been taken. */
  get hasMore(): boolean {
    return this.#at < this.#chunk.length
  }

  /** Whether a line ends in what has come. */
  get hasEnd(): boolean {
    return this.#chunk.includes(lf, this.#at)
  }

  /** The next line; null when it has not come as a whole. */
  next(): Line | null {
    const newline = this.#chunk.indexOf(lf, this.#at)
    if (this.#keptCount === 0 && this.#isOrdinary(newline)) return this.#ordinary(newline)
    const piece = this.#chunk.subarray(this.#at, newline === -1 ? this.#chunk.length : newline)
    // The CR may be its last byte.
    const room = this.#lineMax + 1 - this.#keptCount
    const isTooLong = piece.length > room
    this.#take(isTooLong ? room : piece.length + (newline === -1 ? 0 : 1))
    const first = this.#keptCount > 0 ? this.#kept[0] : piece[0]
    if (first === tlsHandshake) return this.#isTls()
    if (isTooLong) return { kind: 'too-long', begins: this.#joined(piece.subarray(0, room)) }
    if (newline === -1) {
      this.#keep(piece)
      return null
    }
    return lineOf(this.#keptCount === 0 ? piece : this.#joined(piece))
  }

  /** Whether a line ends here with which all is well, as nearly all are. */
  #isOrdinary(newline: number): boolean {
    const [chunk, at] = [this.#chunk, this.#at]
    const isOfLength = newline > at && newline - at <= this.#lineMax + 1
    if (!isOfLength || chunk[at] === tlsHandshake) return false
    return chunk[newline - 1] === cr && chunk.indexOf(cr, at) === newline - 1
  }

  #ordinary(newline: number): Line {
    const bytes = this.#chunk.subarray(this.#at, newline - 1)
    this.#take(newline + 1 - this.#at)
    return { kind: 'line', bytes }
  }

  /** All that has come and has not been taken: it is no command. */
  takeRest(): Buffer {
    const rest = this.#chunk.subarray(this.#at)
    this.#take(rest.length)
    return rest
  }

  /** What has been taken is held on to by nobody while the client waits for its reply. */
  #take(count: number): void {
    this.#at += count
    if (this.#at < this.#chunk.length) return
    this.#chunk = empty
    this.#at = 0
  }

  #isTls(): Line {
    this.#keptCount = 0
    return { kind: 'tls' }
  }

  #joined(piece: Buffer): Buffer {
    this.#keep(piece)
    const line = this.#kept.subarray(0, this.#keptCount)
    this.#kept = empty
    this.#keptCount = 0
    return line
  }

  #keep(piece: Buffer): void {
    const count = this.#keptCount + piece.length
    if (count > this.#kept.length) {
      const roomy = Buffer.allocUnsafeSlow(Math.max(64, 2 * count))
      this.#kept.copy(roomy, 0, 0, this.#keptCount)
      this.#kept = roomy
    }
    piece.copy(this.#kept, this.#keptCount)
    this.#keptCount = count
  }
}

const empty = Buffer.alloc(0)

/** @param bytes All before the LF. */
function lineOf(bytes: Buffer): Line {
  const last = bytes.length - 1
  const isWhole = last >= 0 && bytes.indexOf(cr) === last
  return isWhole ? { kind: 'line', bytes: bytes.subarray(0, last) } : { kind: 'bare-newline' }
}
