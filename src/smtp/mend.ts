/**
 * Writes content again as it should have been sent: every line ends in CR LF, and there is no NUL.
 *
 * A bare CR or LF becomes CR LF. A dot that comes to stand at the start of a line by this was content
 * and stays it: it is stuffed (RFC 5321 section 4.5.2). So is a dot that was alone in a line whose end
 * was a bare newline, since it would now be the end of the message.
 */

const cr = 0x0d
const lf = 0x0a
const dot = 0x2e
const space = 0x20

type Place =
  | 'in-line'
  /** The CR has been written. */
  | 'after-cr'
  /** After CR LF as the client sent it. */
  | 'line-start'
  /** After CR LF of ours. */
  | 'made-start'
  /** After a dot at the start of a line, which has not been written. */
  | 'after-dot'

export class Mender {
  #place: Place
  #out: Buffer = Buffer.alloc(0)
  #count = 0

  /** @param place Where in a line the first piece begins. */
  constructor(place: 'in-line' | 'after-cr' | 'line-start') {
    this.#place = place
  }

  push(pieces: readonly Buffer[]): Buffer {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    // Each byte becomes two at the most, and what was held back before a few more.
    this.#out = Buffer.allocUnsafe(2 * length + 8)
    this.#count = 0
    for (const piece of pieces) for (const byte of piece) this.#take(byte)
    return this.#out.subarray(0, this.#count)
  }

  #take(byte: number): void {
    if (this.#place === 'after-cr') {
      this.#write(lf)
      this.#place = byte === lf ? 'line-start' : 'made-start'
      if (byte === lf) return
    }
    if (byte === cr || byte === lf) this.#newline(byte)
    else if (byte === dot && this.#place === 'line-start') this.#place = 'after-dot'
    else this.#text(byte)
  }

  #text(byte: number): void {
    const isStuffed = byte === dot && this.#place === 'made-start'
    if (isStuffed || this.#place === 'after-dot') this.#write(dot)
    this.#write(byte === 0 ? space : byte)
    this.#place = 'in-line'
  }

  #newline(byte: number): void {
    if (this.#place === 'after-dot') {
      this.#write(dot)
      this.#write(dot)
    }
    this.#write(cr)
    if (byte === lf) this.#write(lf)
    this.#place = byte === lf ? 'made-start' : 'after-cr'
  }

  #write(byte: number): void {
    this.#out[this.#count] = byte
    this.#count += 1
  }
}
