/**
 * Writes content again as it should have been sent: every line ends in CR LF, and there is no NUL.
 *
 * A bare CR or LF becomes CR LF. A dot that comes to stand at the start of a line by this was content
 * and stays it: it is stuffed (RFC 5321 section 4.5.2). So is a dot that was alone in a line whose end
 * was a bare newline, since it would now be the end of the message. The work is done by lanes.wat.
 */
import { mend } from './lanes.ts'

/** As lanes.wat numbers them. */
const places = { 'in-line': 0, 'after-cr': 1, 'line-start': 2 } as const

export class Mender {
  #place: number

  /** @param place Where in a line the first piece begins. */
  constructor(place: keyof typeof places) {
    this.#place = places[place]
  }

  push(pieces: readonly Buffer[]): Buffer {
    const { bytes, place } = mend(pieces, this.#place)
    this.#place = place
    return bytes
  }
}
