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

/** Where the next byte stands. */
const inLine = 0
/** The CR has been written. */
const afterCr = 1
/** After CR LF as the client sent it. */
const lineStart = 2
/** After CR LF of ours. */
const madeStart = 3
/** After a dot at the start of a line, which has not been written. */
const afterDot = 4

const places = { 'in-line': inLine, 'after-cr': afterCr, 'line-start': lineStart } as const

/** Written to and copied from at once. */
let scratch = Buffer.alloc(0)

export class Mender {
  #place: number

  /** @param place Where in a line the first piece begins. */
  constructor(place: keyof typeof places) {
    this.#place = places[place]
  }

  push(pieces: readonly Buffer[]): Buffer {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    // Each byte becomes two at the most, and what was held back before a few more.
    const most = 2 * length + 8
    if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(most)
    let count = 0
    for (const piece of pieces) count = this.#mend(piece, scratch, count)
    return Buffer.from(scratch.subarray(0, count))
  }

  /** @returns How many bytes are in `out` now. */
  // biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one loop and no calls, for speed
  #mend(piece: Buffer, out: Buffer, from: number): number {
    let count = from
    let place = this.#place
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0
      if (place === inLine && byte > cr) {
        out[count++] = byte
        continue
      }
      if (place === afterCr) {
        out[count++] = lf
        place = byte === lf ? lineStart : madeStart
        if (byte === lf) continue
      }
      if (byte === cr || byte === lf) {
        if (place === afterDot) {
          out[count++] = dot
          out[count++] = dot
        }
        out[count++] = cr
        if (byte === lf) out[count++] = lf
        place = byte === lf ? madeStart : afterCr
      } else if (byte === dot && place === lineStart) {
        place = afterDot
      } else {
        if (place === afterDot || (byte === dot && place === madeStart)) out[count++] = dot
        out[count++] = byte === 0 ? space : byte
        place = inLine
      }
    }
    this.#place = place
    return count
  }
}
