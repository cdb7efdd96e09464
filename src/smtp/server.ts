/**
 * Speaks SMTP with clients.
 *
 * Of smtp-server we use STARTTLS and the rules for closing; what a client
 * says is read by parser.ts and answered by connection.ts.
 */
import type { Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Session, Successor } from '../session/session.ts'
import { Connection } from './connection.ts'
import { Dialogue } from './dialogue.ts'
import * as limits from './limits.ts'
import type { ServerParts } from './parts.ts'
import { upgrading } from './wire.ts'

export class TreacleServer extends SMTPServer {
  readonly #parts: ServerParts
  readonly #commands: ReadonlySet<string>

  constructor(parts: ServerParts) {
    super({
      name: parts.name,
      hideENHANCEDSTATUSCODES: false,
      maxCommandLength: parts.limits.command_line_max,
      logger: false,
      SNICallback: (name, answer) => answer(null, parts.tls?.certificates.contextFor(name)),
      onSecure: (_socket, session, done) => {
        upgrading.get(session)?.secured()
        upgrading.delete(session)
        done()
      },
    })
    this.#parts = parts
    this.#commands = limits.commandsOf(parts)
    // The package has one of its own, whose key everybody knows.
    this.secureContext.clear()
    // A broken connection is no error of ours; its session notices by itself.
    this.on('error', () => {})
  }

  /**
   * Takes over a client that the gate has let in, and greets it.
   *
   * @param successor null when this client may not speak for others.
   */
  serve(socket: Socket, session: Session, successor: Successor | null): void {
    const context = this.#parts.tls?.certificates.contextFor()
    if (context) this.secureContext.set('*', context)
    const dialogue = new Dialogue(session, this.#parts, successor)
    const connection = new Connection(this, socket, dialogue, this.#parts, this.#commands)
    connection.on('error', () => socket.destroy())
    connection.init()
  }
}
