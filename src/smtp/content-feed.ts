/** Content on its way from the parser to the back end: scanned for its end, refused for its faults. */
import { type Reply, reply } from '../core/reply.ts'
import type { Content } from '../relay/content.ts'
import { type ContentFault, DataScan } from './data-scan.ts'
import type { Fed, Feed } from './parser.ts'

const refusals: Readonly<Record<ContentFault, Reply>> = {
  'bare-newline': reply(550, '5.5.2', 'Lines must end in CR LF; a bare CR or LF is not accepted'),
  nul: reply(550, '5.6.0', 'The message has NUL characters'),
}

export class ContentFeed implements Feed {
  readonly #content: Content
  readonly #scan = new DataScan()
  readonly #onEnd: (resume: () => void) => void

  /** @param onEnd Called once, at the end of the message; calls `resume` when commands may follow. */
  constructor(content: Content, onEnd: (resume: () => void) => void) {
    this.#content = content
    this.#onEnd = onEnd
  }

  push(chunk: Buffer): Fed {
    const { content, rest } = this.#scan.push(chunk)
    const { fault } = this.#scan
    if (fault !== null) this.#content.refuse(refusals[fault])
    let drained: Promise<void> | undefined
    for (const piece of content) drained = this.#content.write(piece) ?? drained
    return { rest, drained }
  }

  end(resume: () => void): void {
    this.#onEnd(resume)
  }
}
