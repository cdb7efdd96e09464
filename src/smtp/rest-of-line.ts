/** Takes what is left of a line and keeps nothing of it. */
import type { Fed, Feed } from './parser.ts'

/** @param resume To be called when commands may follow. */
type WhenOver = (hasEnded: boolean, resume: () => void) => void

const lf = 0x0a

export class RestOfLine implements Feed {
  /** Below 0 when it goes on for too long. */
  #left: number
  readonly #whenOver: WhenOver

  /** @param countMax How many bytes may come before its LF. */
  constructor(countMax: number, whenOver: WhenOver) {
    this.#left = countMax
    this.#whenOver = whenOver
  }

  push(chunk: Buffer): Fed {
    const newline = chunk.indexOf(lf)
    this.#left -= newline === -1 ? chunk.length : newline
    const isOver = newline !== -1 || this.#left < 0
    return { rest: isOver ? chunk.subarray(newline + 1) : null, drained: undefined }
  }

  end(resume: () => void): void {
    this.#whenOver(this.#left >= 0, resume)
  }
}
