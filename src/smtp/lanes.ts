/**
 * Content sixteen bytes at a time, in WebAssembly (lanes.wat; decision 23). The only file that knows of it.
 *
 * It sees nothing but memory of its own, so content is copied there first.
 */
import { wasm } from './lanes.wasm.ts'

/** Of WebAssembly, what is used here; the types of Node do not have it. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: Exports }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly place: { value: number }
  ordinary(at: number, to: number, nuls: number): number
  endMark(at: number, to: number): number
  mend(at: number, to: number, out: number): number
}

const pageSize = 64 * 1_024

/** How many bytes are read at each place: sixteen, from up to four further on. */
const reach = 20

const machine = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(wasm, 'base64')))
  .exports
let memory = Buffer.from(machine.memory.buffer)

/** What lanes.wat takes for mending, at the start of the memory; content lies behind it. */
const doublings = Buffer.from(Array.from({ length: 256 }, (_, mask) => lanesFor(mask)).flat())
memory.set(doublings)
const base = doublings.length

/** @param mask By bits, which of eight lanes are taken twice: the second time from eight above. */
function lanesFor(mask: number): number[] {
  const taken = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((lane) =>
    (mask & (1 << lane)) === 0 ? [lane] : [lane, lane + 8],
  )
  return [...taken, ...Array<number>(16 - taken.length).fill(0)]
}

/** @param length Of what is to lie there, in bytes. */
function need(length: number): void {
  const missing = base + length - memory.length
  if (missing <= 0) return
  machine.memory.grow(Math.ceil(missing / pageSize))
  memory = Buffer.from(machine.memory.buffer)
}

/**
 * Makes `chunk` the one that is looked at, until the next call of anything but `ordinaryUntil` and `endMarkFrom`.
 *
 * @returns Up to where it is looked at; short ones are not.
 */
export function lay(chunk: Buffer): number {
  const to = chunk.length - reach + 1
  if (to <= 0) return 0
  need(chunk.length)
  memory.set(chunk, base)
  return to
}

/**
 * How far the chunk is ordinary, sixteen bytes at a time: no NUL, no CR or LF without the other, and
 * no LF . CR, which may be the end.
 *
 * @param at Not the LF of a CR LF.
 * @param to As `lay` says.
 * @param mindsNul Whether a NUL is anything special.
 */
export function ordinaryUntil(at: number, to: number, mindsNul: boolean): number {
  return machine.ordinary(base + at, base + to, mindsNul ? -1 : 0) - base
}

/** @returns Where CR LF . CR LF is, or what comes before, but for a few bytes that were not looked at. */
export function endMarkFrom(at: number, to: number): number {
  return machine.endMark(base + at, base + to) - base
}

export interface Mended {
  readonly bytes: Buffer
  /** Where the next byte stands. */
  readonly place: number
}

/** @param place Where the first byte stands, as lanes.wat numbers the places. */
export function mend(pieces: readonly Buffer[], place: number): Mended {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  need(3 * length + 2 + reach)
  let to = base
  for (const piece of pieces) {
    memory.set(piece, to)
    to += piece.length
  }
  machine.place.value = place
  const end = machine.mend(base, to, to)
  return { bytes: Buffer.from(memory.subarray(to, end)), place: machine.place.value }
}
