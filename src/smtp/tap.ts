/**
 * Stops reading from a socket at once, and goes on.
 *
 * `socket.pause()` would not do: Node goes on to read until 64 KB are there, in the pieces in which
 * they come. What lies under the socket is not documented, though as old as Node, so this looks
 * before it touches; test/smtp/contract.test.ts says when it is no longer there.
 */
import type { Socket } from 'node:net'

export interface Tap {
  open(): void
  close(): void
}

/** @returns null when there is none, and reading just goes on. */
export function tapOf(socket: Socket): Tap | null {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return null
  const stop: unknown = Reflect.get(handle, 'readStop')
  const start: unknown = Reflect.get(handle, 'readStart')
  if (typeof stop !== 'function' || typeof start !== 'function') return null
  // Where Node has stopped by itself, because nobody takes what it has read, it goes on by itself.
  const isOurs = () => !socket.destroyed && Reflect.get(handle, 'reading') === true
  return {
    close: () => {
      if (isOurs()) Reflect.apply(stop, handle, [])
    },
    open: () => {
      if (isOurs()) Reflect.apply(start, handle, [])
    },
  }
}
