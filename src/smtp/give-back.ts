/**
 * Gives the memory of a piece of content back as soon as it has been passed on.
 *
 * Node reads up to 64 kB at a time, each into memory of its own, which is freed when the collector finds
 * out that nobody looks at it any more. Of a large message that is soon so much that it collects for
 * nothing else: half of what 20 MB cost went into that.
 */

/** Small pieces are no burden, and may share their memory with others. */
const largeMin = 16 * 1_024

/** @param piece As it was read. Nobody may look at it, or at a slice of it, afterwards: they are empty then. */
export function giveBack({ buffer, length }: Buffer): void {
  const isItsOwn = buffer instanceof ArrayBuffer && buffer.byteLength === length
  if (isItsOwn && length >= largeMin) buffer.transfer(0)
}
