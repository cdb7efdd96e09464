/** Content on its way from the parser to the back end: scanned for its end, mended or refused for its faults. */
import type { Ip } from '../core/ip.ts'
import { reply } from '../core/reply.ts'
import type { Content } from '../relay/content.ts'
import { refusals, scanRules } from './content-policy.ts'
import { DataScan } from './data-scan.ts'
import { giveBack } from './give-back.ts'
import { Pace } from './pace.ts'
import type { Fed, Feed } from './parser.ts'
import type { ServerParts } from './parts.ts'

const tooSlow = reply(421, '4.4.2', 'Timeout: the message comes too slowly')

export class ContentFeed implements Feed {
  readonly #content: Content
  readonly #client: Ip
  readonly #parts: ServerParts
  readonly #onEnd: (resume: () => void) => void
  readonly #scan: DataScan
  readonly #pace: Pace
  /** It came too slowly, and was ended by us. */
  #isOver = false

  /** @param onEnd Called once, at the end of the message; calls `resume` when commands may follow. */
  constructor(
    content: Content,
    client: Ip,
    parts: ServerParts,
    onEnd: (resume: () => void) => void,
  ) {
    this.#content = content
    this.#client = client
    this.#parts = parts
    this.#onEnd = onEnd
    this.#scan = new DataScan(scanRules(client, parts.data, parts.limits))
    this.#pace = new Pace(parts.clock, parts.limits.data_rate_min, () => {
      this.#isOver = true
      content.refuse(tooSlow)
      onEnd(() => {})
    })
  }

  push(chunk: Buffer): Fed {
    const { content, rest } = this.#scan.push(chunk)
    const { fault } = this.#scan
    if (fault !== null && this.#scan.isBeyondMending) this.#content.refuse(refusals[fault])
    if (this.#content.isRefused) this.#scan.giveUp()
    let drained: Promise<void> | undefined
    for (const piece of content) drained = this.#content.write(piece) ?? drained
    this.#pace.came(chunk.length)
    if (drained !== undefined) this.#pace.held(drained)
    else if (rest === null && !this.#content.holds) giveBack(chunk)
    return { rest, drained }
  }

  end(resume: () => void): void {
    this.close()
    if (this.#isOver) return
    const { fault, isBeyondMending } = this.#scan
    if (fault !== null) {
      const client = this.#client.text
      this.#parts.log.event('content.faulty', { client, fault, mended: !isBeyondMending })
    }
    this.#onEnd(resume)
  }

  /** No more is expected. */
  close(): void {
    this.#pace.stop()
  }
}
