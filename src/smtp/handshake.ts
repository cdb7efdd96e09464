/**
 * The beginning of TLS: on a connection that is to be under TLS from its first byte, and how long a
 * client may take for it, there and after STARTTLS.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Client } from '../core/client.ts'
import type { Clock, Ms } from '../core/clock.ts'
import { tlsMessageOf } from '../core/errors.ts'
import type { Log } from '../observe/log.ts'
import type { Session } from '../session/session.ts'
import type { Certificates } from './certificates.ts'

export interface HandshakeParts {
  readonly certificates: Certificates
  readonly limitMs: Ms
  readonly clock: Clock
  readonly log: Log
}

/**
 * Waits for the client to begin TLS. A certificate of its own is not asked for.
 *
 * @returns null when that did not come to be; the socket is closed then.
 */
export function handshake(
  socket: Socket,
  parts: HandshakeParts,
  { client, leaving }: Session,
): Promise<TLSSocket | null> {
  const { certificates } = parts
  const secured = new TLSSocket(socket, {
    isServer: true,
    ...contextOf(certificates),
    SNICallback: (name, answer) => answer(null, certificates.contextFor(name)),
  })
  const { promise, resolve } = Promise.withResolvers<TLSSocket | null>()
  const limit = new HandshakeLimit(socket, client, parts)
  const cut = () => socket.destroy()
  const end = (result: TLSSocket | null) => {
    limit.stop()
    leaving.unlisten(cut)
    resolve(result)
  }
  secured.on('error', (error) => limit.failed(error))
  secured.once('close', () => end(null))
  secured.once('secure', () => end(secured))
  leaving.listen(cut)
  if (leaving.reason !== null) cut()
  return promise
}

/** The certificate for who asks for none by name. */
function contextOf(certificates: Certificates) {
  const secureContext = certificates.contextFor()
  return secureContext === undefined ? {} : { secureContext }
}

/** Closes a connection whose handshake fails, or is not over in time; each is told once. */
export class HandshakeLimit {
  readonly #socket: Socket
  readonly #client: string
  readonly #log: Log
  #stopTimer: (() => void) | null

  constructor(socket: Socket, { ip }: Client, { clock, limitMs, log }: HandshakeParts) {
    this.#socket = socket
    this.#client = ip.text
    this.#log = log
    this.#stopTimer = clock.after(limitMs, () => this.failed(new Error('not over in time')))
  }

  /** It is over, well or not. */
  stop(): void {
    this.#stopTimer?.()
    this.#stopTimer = null
  }

  failed(error: Error): void {
    if (this.#stopTimer === null) return
    this.stop()
    this.#log.event('tls.failed', { client: this.#client, why: tlsMessageOf(error) })
    this.#socket.destroy()
  }
}
