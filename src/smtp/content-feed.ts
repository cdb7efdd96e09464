/** Content on its way from the parser to the back end: scanned for its end, mended or refused for its faults. */
import type { Deadline } from '../core/deadline.ts'
import type { Ip } from '../core/ip.ts'
import type { Content } from '../relay/content.ts'
import { refusals, scanRules } from './content-policy.ts'
import { DataScan } from './data-scan.ts'
import { giveBack } from './give-back.ts'
import { Pace } from './pace.ts'
import type { Fed, Feed } from './parser.ts'
import type { ServerParts } from './parts.ts'

/** What the connection has to do with it. */
export interface ContentHearer {
  /** The message has ended; `resume` is to be called when commands may follow. */
  ended(resume: () => void): void
  /** It comes too slowly, whatever is wrong with it otherwise. Nothing more is told. */
  tooSlow(): void
  /** For how long the client may be silent. */
  readonly silence: Pick<Deadline, 'start' | 'stop'>
}

export class ContentFeed implements Feed {
  readonly #content: Content
  readonly #client: Ip
  readonly #parts: ServerParts
  readonly #hearer: ContentHearer
  readonly #scan: DataScan
  readonly #pace: Pace
  /** No more is expected. */
  #isOver = false

  constructor(content: Content, client: Ip, parts: ServerParts, hearer: ContentHearer) {
    this.#content = content
    this.#client = client
    this.#parts = parts
    this.#hearer = hearer
    this.#scan = new DataScan(scanRules(client, parts.data, parts.limits))
    this.#pace = new Pace(parts.clock, parts.limits.data_rate_min, () => {
      this.close()
      hearer.tooSlow()
    })
    hearer.silence.start()
  }

  push(chunk: Buffer): Fed {
    this.#hearer.silence.stop()
    const { content, rest } = this.#scan.push(chunk)
    const { fault } = this.#scan
    if (fault !== null && this.#scan.isBeyondMending) this.#content.refuse(refusals[fault])
    if (this.#content.isRefused) this.#scan.giveUp()
    let drained: Promise<void> | undefined
    for (const piece of content) drained = this.#content.write(piece) ?? drained
    this.#pace.came(chunk.length)
    const isCopied = content.every(({ buffer }) => buffer !== chunk.buffer)
    if (isCopied && rest === null) giveBack(chunk)
    const pieces = isCopied ? content : [chunk]
    if (drained !== undefined) {
      this.#pace.held(drained)
      void drained.then(() => this.#passed(rest === null ? pieces : []))
    } else if (rest === null) this.#passed(pieces)
    return { rest, drained }
  }

  /** The back end has read. @param pieces What nobody needs then: a chunk, or the copy that was made to mend it. */
  #passed(pieces: readonly Buffer[]): void {
    if (!this.#content.holds) for (const piece of pieces) giveBack(piece)
    this.#listen()
  }

  /** It is the client's turn to say more. */
  #listen(): void {
    if (!this.#isOver) this.#hearer.silence.start()
  }

  end(resume: () => void): void {
    if (this.#isOver) return
    this.close()
    const { fault, isBeyondMending } = this.#scan
    if (fault !== null) {
      const client = this.#client.text
      this.#parts.log.event('content.faulty', { client, fault, mended: !isBeyondMending })
    }
    this.#hearer.ended(resume)
  }

  /** No more is expected. */
  close(): void {
    this.#isOver = true
    this.#pace.stop()
  }
}
