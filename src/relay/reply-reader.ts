/**
 * Reads replies out of the bytes a back end sends (RFC 5321 section 4.2.1).
 *
 * Strict, since whatever it lets through is said again to a client: three digits, one code for all
 * lines, CRLF, and bounds on length.
 */

import { remembered } from '../core/remembered.ts'
import type { Reply } from '../core/reply.ts'
import { decodeBytes } from '../core/text.ts'

/** The back end does not speak SMTP as agreed; nothing more can be had from this connection. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** RFC 5321 section 4.5.3.1.5 says 512; EHLO and verbose refusals are longer in practice. */
const lineMax = 4_096
const linesMax = 256

const nothing = Buffer.alloc(0)

export class ReplyReader {
  #rest: Buffer<ArrayBufferLike> = nothing
  #lines: string[] = []
  #code = ''

  /**
   * Takes the next bytes.
   *
   * @param hear Called with each reply that they complete, usually one.
   * @throws ProtocolError when they are no replies, after those before them have been heard.
   */
  push(chunk: Buffer, hear: (reply: Reply) => void): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let start = 0
    for (;;) {
      const end = bytes.indexOf(0x0a, start)
      if (end === -1) break
      const complete = this.#line(bytes.subarray(start, end))
      if (complete !== null) hear(complete)
      start = end + 1
    }
    this.#rest = start === bytes.length ? nothing : bytes.subarray(start)
    if (this.#rest.length > lineMax) throw new ProtocolError('reply line too long')
  }

  #line(raw: Buffer): Reply | null {
    if (raw.length > lineMax) throw new ProtocolError('reply line too long')
    const line = decodeBytes(raw)
    const { code, text, alone } = partsOf(line)
    if (this.#code === '' && alone !== null) return alone
    if (this.#code !== '' && code !== this.#code) throw malformed(line)
    const lines = [...this.#lines, text]
    if (lines.length > linesMax) throw new ProtocolError('reply with too many lines')
    this.#lines = alone === null ? lines : []
    this.#code = alone === null ? code : ''
    return alone === null ? null : replyOf(Number(code), lines)
  }
}

/** The first reply in these lines; null when they begin with something else. */
export function readReply(lines: readonly string[]): Reply | null {
  const heard: Reply[] = []
  try {
    const wire = lines.map((line) => `${line}\r\n`).join('')
    new ReplyReader().push(Buffer.from(wire), (reply) => heard.push(reply))
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
  return heard[0] ?? null
}

/** A line of a reply. */
interface Parts {
  readonly code: string
  readonly text: string
  /** What it is when no line came before; null where more lines follow. */
  readonly alone: Reply | null
}

/** The code alone, or with a hyphen where more lines follow, or with a space, and a text behind it. */
const replyLine = /^[2-5]\d\d(?:[- ].*)?\r$/s

/** A back end says the same few lines to each message, but for the last. */
const partsOf = remembered(100, (line): Parts => {
  if (!replyLine.test(line)) throw malformed(line)
  const code = line.slice(0, 3)
  const text = line.slice(4, -1).replace(controls, ' ')
  return { code, text, alone: line.startsWith('-', 3) ? null : replyOf(Number(code), [text]) }
})

function malformed(line: string): ProtocolError {
  return new ProtocolError(`malformed reply ${JSON.stringify(line.slice(0, 80))}`)
}

/** All but the tab, which a text may have (RFC 5321 section 4.2): a bare CR is a line end to some. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being removed
const controls = /[\x00-\x08\x0a-\x1f\x7f]/g

/** Takes the enhanced code out of the lines, when each has the same (RFC 2034 section 3). */
function replyOf(code: number, raw: readonly string[]): Reply {
  const [first = ''] = raw
  const rest = raw.slice(1)
  const enhanced = /^[245]\.\d{1,3}\.\d{1,3}(?= |$)/.exec(first)?.[0]
  const isShared =
    enhanced !== undefined &&
    rest.every((line) => line === enhanced || line.startsWith(`${enhanced} `))
  if (!isShared) return { code, enhanced: '', lines: [first, ...rest] }
  const without = (line: string) => line.slice(enhanced.length + 1)
  return { code, enhanced, lines: [without(first), ...rest.map(without)] }
}
