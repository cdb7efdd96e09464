/** What is left of a socket that has closed leads nowhere. */
import type { EventEmitter } from 'node:events'

/**
 * Takes all listeners off, and all that they lead to.
 *
 * V8 puts a closure that is assigned to a property with the old objects at once, and each Writable of Node has one
 * that leads to it. So a socket stays until everything is collected, with whatever hangs on it, and
 * until then each collection of the young has that to copy (decision 7).
 */
export function letGo(closed: EventEmitter): void {
  closed.removeAllListeners().on('error', nothing)
}

function nothing(): void {}
