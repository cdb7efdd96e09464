/**
 * Work that is done once for what comes over and over: the same few names, addresses and replies, however many
 * connections bring them.
 *
 * Two generations and no clock: what has not been asked for since `max` others came is forgotten. A
 * stranger who brings ever new ones makes it forget, and nothing more; what is longer than `textMax` is never
 * kept, so that he cannot make it large.
 */

/** Longer than any host name. */
const textMax = 512

/** @param max How many outcomes are kept, at least; twice as many at the most. */
export function remembered<T>(max: number, work: (text: string) => T): (text: string) => T {
  let recent = new Map<string, Kept<T>>()
  let older = new Map<string, Kept<T>>()
  return (text) => {
    const known = recent.get(text)
    if (known !== undefined) return known.outcome
    const kept = older.get(text) ?? { outcome: work(text) }
    if (text.length > textMax) return kept.outcome
    if (recent.size >= max) {
      older = recent
      recent = new Map()
    }
    recent.set(text, kept)
    return kept.outcome
  }
}

interface Kept<T> {
  readonly outcome: T
}
