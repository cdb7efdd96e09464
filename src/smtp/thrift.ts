/**
 * Reads small pieces together.
 *
 * To read costs about the same for one byte as for many thousand, and a client may send each byte in
 * a segment of its own. So a connection that is read in small pieces again and again is not read for
 * a moment; the next piece is then all that has come meanwhile. Records of TLS come together from
 * the kernel, but are deciphered and handed on one by one.
 */
import type { Clock, Ms } from '../core/clock.ts'
import type { Tap } from './tap.ts'

/** A read of less bytes is a small one. */
const pieceMin = 1_024
/** So is one of TLS whose records have less bytes each: whoever writes line by line sends more. */
const recordMin = 64
/** So many small reads are free. */
const creditMax = 32
/** A larger one earns another for so many bytes. */
const bytesForCredit = 8_192
/** How long nothing is read then: too short for anybody to notice, and for much to pile up. */
const restMs: Ms = 100
/** And for each record that came in it, where that is longer: each takes some microseconds. */
const restForRecordMs: Ms = 0.25

export class Thrift {
  readonly #clock: Clock
  readonly #tap: () => Tap | null
  /** Small reads that are still free. */
  #credit = creditMax
  /** Ends the rest that there is. */
  #wake: (() => void) | null = null

  /** @param tap What the bytes come from now. */
  constructor(clock: Clock, tap: () => Tap | null) {
    this.#clock = clock
    this.#tap = tap
  }

  /** A piece was read of something that goes on, in so many records of TLS; 0: none. */
  read(count: number, records: number): void {
    const isSmall = count < pieceMin || count < records * recordMin
    const earned = isSmall ? -1 : count / bytesForCredit
    this.#credit = Math.min(creditMax, Math.max(0, this.#credit + earned))
    if (this.#credit > 0 || this.#wake !== null) return
    const tap = this.#tap()
    tap?.close()
    const rest = Math.max(restMs, records * restForRecordMs)
    const stopTimer = this.#clock.after(rest, () => this.#wake?.())
    const wake = () => {
      stopTimer()
      this.#wake = null
      tap?.open()
    }
    this.#wake = wake
  }

  /** What went on is over, and so is any rest. */
  renew(): void {
    this.#credit = creditMax
    this.#wake?.()
  }
}
