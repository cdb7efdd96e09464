/** Takes so many bytes and does nothing with them. */
import type { Fed, Feed } from './parser.ts'

export class Discard implements Feed {
  #left: number

  constructor(count: number) {
    this.#left = count
  }

  push(chunk: Buffer): Fed {
    const rest = chunk.length < this.#left ? null : chunk.subarray(this.#left)
    this.#left -= Math.min(chunk.length, this.#left)
    return { rest, drained: undefined }
  }

  end(resume: () => void): void {
    resume()
  }
}
