/** Somebody who was let in, and what there is for him. */
import type { Socket } from 'node:net'
import type { Session } from '../session/session.ts'
import type { Waiting } from './greeting.ts'
import type { GateParts } from './parts.ts'

export class Visitor implements Waiting {
  /** What was accepted, which is not what is spoken on under TLS. */
  readonly accepted: Socket
  socket: Socket
  readonly session: Session
  readonly parts: GateParts
  readonly #onLeft: (visitor: Visitor) => void

  /** @param onLeft Told when the connection is closed. */
  constructor(
    accepted: Socket,
    session: Session,
    parts: GateParts,
    onLeft: (visitor: Visitor) => void,
  ) {
    this.accepted = accepted
    this.socket = accepted
    this.session = session
    this.parts = parts
    this.#onLeft = onLeft
    // STARTTLS takes all listeners off the bare socket, so who is gone is heard from the session.
    session.host = this
  }

  left(): void {
    this.#onLeft(this)
  }

  /** Another for whom the same peer speaks, on the same socket. */
  succeededBy(session: Session): Visitor {
    const next = new Visitor(this.accepted, session, this.parts, this.#onLeft)
    next.socket = this.socket
    return next
  }
}
