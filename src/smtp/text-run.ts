/** Runs of text in content, which are passed over four bytes at a time: most of any message is nothing else. */

const tab = 0x09
const lf = 0x0a
const cr = 0x0d
const dot = 0x2e

const noWords = new Int32Array(0)

/** The bytes of a chunk four at a time, as far as they lie on the borders of words. */
export function wordsOf({ buffer, byteOffset, length }: Buffer): Int32Array {
  const start = (byteOffset + 3) & ~3
  const count = (byteOffset + length - start) >> 2
  return count > 0 ? new Int32Array(buffer, start, count) : noWords
}

/**
 * Where the next byte is that the table of data-scan.ts has to be asked about, or the end of the chunk.
 *
 * Most of any message is text, and CR LF with another line of text behind it, be it one that begins with a
 * stuffed dot: that much is known here.
 *
 * @param from In the middle of a line.
 * @param measures Whether each line end is wanted.
 */
export function skipText(
  chunk: Buffer,
  words: Int32Array,
  from: number,
  measures: boolean,
): number {
  let at = from
  for (;;) {
    if (isText(chunk, at)) at = skipLine(chunk, words, at + 1)
    if (measures || chunk[at] !== cr || chunk[at + 1] !== lf) return at
    const first = chunk[at + 2] === dot ? at + 3 : at + 2
    if (!isText(chunk, first)) return at
    at = first + 1
  }
}

/** Tabs are text, too; other characters below the space are rare, and the table knows them. */
function isText(chunk: Buffer, at: number): boolean {
  const byte = at < chunk.length ? (chunk[at] ?? 0) : 0
  return byte > cr || byte === tab
}

/** Where the next byte is that means something in the middle of a line, or the end of the chunk. */
function skipLine(chunk: Buffer, words: Int32Array, from: number): number {
  const shift = -chunk.byteOffset & 3
  let at = from
  for (;;) {
    do {
      if (!isText(chunk, at)) return at
      at += 1
    } while (((at - shift) & 3) !== 0)
    let word = (at - shift) >> 2
    while (word < words.length && !hasControl(words[word] ?? 0)) word += 1
    at = Math.max(at, shift + 4 * word)
  }
}

/** Whether one of four bytes is below 0x0e: taking that away borrows from its top bit alone. */
function hasControl(word: number): boolean {
  return ((word - 0x0e0e0e0e) & ~word & 0x80808080) !== 0
}
