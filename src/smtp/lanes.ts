/** Content sixteen bytes at a time, in WebAssembly (lanes.wat; decision 23). */
import { Loops } from '../core/webassembly.ts'
import { wasm } from './lanes.wasm.ts'

interface Exports {
  readonly place: { value: number }
  ordinary(at: number, to: number, nuls: number): number
  endMark(at: number, to: number): number
  mend(at: number, to: number, out: number): number
}

/** How many bytes are read at each place: sixteen, from up to four further on. */
const reach = 20

/** What lanes.wat takes for mending. */
const doublings = Buffer.from(Array.from({ length: 256 }, (_, mask) => lanesFor(mask)).flat())
const loops = new Loops<Exports>(wasm, doublings)
const { run, base } = loops

/** @param mask By bits, which of eight lanes are taken twice: the second time from eight above. */
function lanesFor(mask: number): number[] {
  const taken = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((lane) =>
    (mask & (1 << lane)) === 0 ? [lane] : [lane, lane + 8],
  )
  return [...taken, ...Array<number>(16 - taken.length).fill(0)]
}

/**
 * Makes `chunk` the one that is looked at, until the next call of anything but `ordinaryUntil` and `endMarkFrom`.
 *
 * @returns Up to where it is looked at; short ones are not.
 */
export function lay(chunk: Buffer): number {
  const to = chunk.length - reach + 1
  if (to <= 0) return 0
  loops.need(chunk.length)
  loops.lay(chunk, base)
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
  return run.ordinary(base + at, base + to, mindsNul ? -1 : 0) - base
}

/** @returns Where CR LF . CR LF is, or what comes before, but for a few bytes that were not looked at. */
export function endMarkFrom(at: number, to: number): number {
  return run.endMark(base + at, base + to) - base
}

export interface Mended {
  readonly bytes: Buffer
  /** Where the next byte stands. */
  readonly place: number
}

/** @param place Where the first byte stands, as lanes.wat numbers the places. */
export function mend(pieces: readonly Buffer[], place: number): Mended {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  loops.need(3 * length + 2 + reach)
  let to = base
  for (const piece of pieces) to = loops.lay(piece, to)
  run.place.value = place
  const end = run.mend(base, to, to)
  return { bytes: loops.copyOf(to, end), place: run.place.value }
}
