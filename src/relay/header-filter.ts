/**
 * The header of a message on its way through: forged headers of ours are left out, Received lines
 * are counted (RFC 5321 section 6.3), everything else passes as it came.
 *
 * A header goes up to the first empty line, whatever the lines before it look like: mail servers do
 * not agree on what else ends one, and Dovecot reads on behind lines that are no field.
 *
 * Works on the bytes as they are on the wire, so a line may begin with a dot that the back end will
 * take off. Of a line that is cut by the end of a chunk only the first bytes are kept back, until
 * its name is known. Line by line it goes in WebAssembly (header.wat; decision 23).
 */
import { Loops } from '../core/webassembly.ts'
import { wasm } from './header.wasm.ts'
import { ownHeaders } from './trace.ts'

interface Exports {
  readonly place: { value: number }
  readonly count: { value: number }
  readonly rest: { value: number }
  filter(at: number, to: number, names: number, limit: number): number
}

/** No header name that matters is longer. A line that may still be one of ours after this counts as one. */
const decideAfter = 128

/** Where header.wat stands at the start of a message and behind its header. */
const atStart = 0
const behind = 4

/** How many bytes are read at each place. */
const reach = 16

const names = Buffer.concat(['received', ...ownHeaders].map(entry))
const loops = new Loops<Exports>(wasm, names)
const { run, base } = loops

/** @param name Lower case, of sixteen bytes at the most; one that ends in "-" stands for all that begin so. */
function entry(name: string): Buffer {
  const bytes = Buffer.alloc(32)
  bytes.write(name)
  bytes.writeUInt16LE((1 << name.length) - 1, 16)
  bytes.set([name.length, name.endsWith('-') ? 1 : 0], 18)
  return bytes
}

const empty = Buffer.alloc(0)
const newline = Buffer.from('\r\n')
const dot = 0x2e
const space = 0x20
const tab = 0x09

export class HeaderFilter {
  #place = atStart
  #receivedCount = 0
  #headerCount = 0
  #held: Buffer = empty
  /** Whether the first byte of the message that counts has come. */
  #hasBegun = false

  get receivedCount(): number {
    return this.#receivedCount
  }

  /** How many bytes the header has, as far as it has come. */
  get headerCount(): number {
    return this.#headerCount
  }

  /** Takes the next bytes of a message and gives what of them goes on, in pieces, some of which may be empty. */
  push(chunk: Buffer): Buffer[] {
    if (this.#place === behind) return [chunk]
    const held = this.#held
    if (!this.#hasBegun && this.#beginsBlank(held, chunk)) {
      this.#place = behind
      this.#held = empty
      return [newline, held, chunk]
    }
    loops.need(held.length + chunk.length + reach)
    const chunkAt = loops.lay(held, base)
    const to = loops.lay(chunk, chunkAt)
    run.place.value = this.#place
    run.count.value = this.#receivedCount
    const end = run.filter(base, to, names.length, decideAfter)
    this.#place = run.place.value
    this.#receivedCount = run.count.value
    const rest = run.rest.value
    this.#headerCount += rest - base
    const isOver = this.#place === behind
    // A copy: the memory of the chunk may be given back at once.
    this.#held = isOver ? empty : loops.copyOf(rest, to)
    // What was held back is the start of a line, so where anything was taken, all of it was.
    if (end !== rest) {
      const kept = loops.copyOf(base, end)
      return isOver ? [kept, chunk.subarray(rest - chunkAt)] : [kept]
    }
    if (isOver) return [held, chunk]
    return rest === base ? [] : [held, chunk.subarray(0, rest - chunkAt)]
  }

  /**
   * Whether the message begins with a line that goes on, and so would make the last of our own headers
   * above it say what the client likes. It has no header then, as Postfix sees it, too.
   */
  #beginsBlank(held: Buffer, chunk: Buffer): boolean {
    const byteAt = (at: number) => (at < held.length ? held[at] : chunk[at - held.length])
    const first = byteAt(0) === dot ? byteAt(1) : byteAt(0)
    this.#hasBegun = first !== undefined
    return first === space || first === tab
  }

  /** What is still held back when the message ends in the middle of a header line. */
  end(): Buffer {
    return this.#held
  }
}
