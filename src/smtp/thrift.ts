/**
 * Reads small pieces together.
 *
 * To read costs about the same for one byte as for many thousand, and a client may send each byte in
 * a segment of its own. So a connection that is read in small pieces again and again is not read for
 * a moment; the next piece is then all that has come meanwhile.
 */
import type { Clock, Ms } from '../core/clock.ts'
import type { Tap } from './tap.ts'

/** Of less than so many bytes a read, */
const pieceMin = 1_024
/** after so many reads, */
const freeCount = 100
/** nothing is read for so long: too short for anybody to notice, and for much to pile up. */
const restMs: Ms = 100

export class Thrift {
  readonly #clock: Clock
  readonly #tap: () => Tap | null
  #readCount = 0
  #byteCount = 0
  /** Ends the rest that there is. */
  #wake: (() => void) | null = null

  /** @param tap What the bytes come from now. */
  constructor(clock: Clock, tap: () => Tap | null) {
    this.#clock = clock
    this.#tap = tap
  }

  /** A piece was read of something that goes on. */
  read(count: number): void {
    this.#readCount += 1
    this.#byteCount += count
    const isWasteful = this.#byteCount < this.#readCount * pieceMin
    if (this.#readCount <= freeCount || !isWasteful || this.#wake !== null) return
    const tap = this.#tap()
    tap?.close()
    const stopTimer = this.#clock.after(restMs, () => this.#wake?.())
    this.#wake = () => {
      stopTimer()
      this.#wake = null
      tap?.open()
    }
  }

  /** What went on is over, and so is any rest. */
  renew(): void {
    this.#readCount = 0
    this.#byteCount = 0
    this.#wake?.()
  }
}
