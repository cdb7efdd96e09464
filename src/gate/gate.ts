/**
 * The door: accepts connections, counts them, holds back the greeting, and hands on who may come in.
 *
 * Until the greeting a client costs a socket, a session and a timer. Nobody is let in uncounted.
 */
import type { Server, Socket } from 'node:net'
import type { Client, Whereabouts } from '../core/client.ts'
import type { Clock } from '../core/clock.ts'
import { type Reply, reply, replyText } from '../core/reply.ts'
import type { Log } from '../observe/log.ts'
import { Ended, ourFault } from '../session/ended.ts'
import type { Session } from '../session/session.ts'
import { Admission } from './admission.ts'
import { clientBehind, clientOf, clientOfPeer } from './arrival.ts'
import { comesTooLate, enter, maySpeakForOthers, shortOfMemory } from './entering.ts'
import { earlyTalk, Goodbye, shuttingDown } from './goodbye.ts'
import { greetPause, type PauseEnd } from './greeting.ts'
import { listen, type Place } from './listener.ts'
import type { GateParts } from './parts.ts'
import { readProxyHeader } from './proxy-reader.ts'
import { Residents } from './residents.ts'
import { nobody, sharedListener } from './shared-listener.ts'
import { Visitor } from './visitor.ts'

/** How long a proxy may take to say who the client is. */
const proxyHeaderMs = 5_000

export class Gate {
  readonly #clock: Clock
  readonly #log: Log
  readonly #parts: () => GateParts
  readonly #admission: Admission
  readonly #residents: Residents
  readonly #goodbye: Goodbye
  readonly #servers: Server[] = []
  /** Everybody, with the session of those who were let in. */
  readonly #sockets = new Map<Socket, Session | null>()
  #onEmpty: () => void = () => {}
  readonly #draining = new AbortController()

  /** @param parts What a connection is made of that comes now. */
  constructor(clock: Clock, log: Log, parts: () => GateParts) {
    this.#clock = clock
    this.#log = log
    this.#parts = parts
    this.#admission = new Admission(clock)
    this.#residents = new Residents(clock, () => parts().limits.connection_age_max)
    this.#goodbye = new Goodbye(clock)
  }

  /** How many clients are in. */
  get connectionCount(): number {
    return this.#admission.count
  }

  /**
   * Begins to accept.
   *
   * @returns The address as it came to be, with the port that was free for port 0.
   * @throws What `listen` throws.
   */
  async listen(place: Place): Promise<string> {
    const { server, address } = await listen(
      place,
      (socket) => this.#accept(socket, place.tls),
      (error) => this.#log.fault('accept', error),
    )
    this.#servers.push(server)
    this.#log.event('server.listening', { address })
    return address
  }

  /** Takes no new clients, sends away those who wait, and lets messages under way finish. */
  drain(): void {
    for (const server of this.#servers) server.close()
    this.#draining.abort()
    this.#residents.end(shuttingDown)
  }

  /** Settles when the last client is gone. */
  async emptied(): Promise<void> {
    if (this.#sockets.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    await promise
  }

  /** Cuts off whoever is still there. @returns How many that were. */
  cutOff(): number {
    const count = this.#sockets.size
    for (const socket of this.#sockets.keys()) socket.destroy()
    return count
  }

  /** @param tls Whether it begins with TLS at once. */
  #accept(socket: Socket, tls: boolean): void {
    // A client that resets its connection is no error of ours.
    socket.on('error', nobody)
    const peer = clientOf(socket)
    if (peer === null) {
      socket.destroy()
      return
    }
    this.#sockets.set(socket, null)
    socket.on('close', this.#onClose)
    const { proxies } = this.#parts()
    if (proxies.some((network) => network.contains(peer.ip))) void this.#askProxy(socket, peer, tls)
    else this.#admit(socket, peer, tls)
  }

  /** Who the client is we hear from the proxy; until then the connection counts, but for nobody. */
  async #askProxy(socket: Socket, peer: Client, tls: boolean): Promise<void> {
    const full = this.#isDraining
      ? 'shutting down'
      : this.#admission.enterUnknown(this.#parts().limits)
    if (full !== null) return this.#turnAway(socket, peer, full)
    const { signal } = this.#draining
    const end = await readProxyHeader(socket, this.#clock, { timeoutMs: proxyHeaderMs, signal })
    this.#admission.leaveUnknown()
    if (end.kind === 'bad') {
      this.#log.event('gate.bad-proxy-header', { peer: peer.ip.text, why: end.why })
      socket.destroy()
    } else if (!socket.destroyed) {
      this.#admit(socket, end.kind === 'header' ? clientBehind(peer, end) : peer, tls)
    }
  }

  #admit(socket: Socket, client: Client, tls: boolean): void {
    const parts = this.#parts()
    const session = this.#enter(client, parts)
    if (typeof session === 'string') return this.#turnAway(socket, client, session)
    const visitor = new Visitor(socket, session, parts, this.#onLeft)
    this.#receive(visitor)
    if (tls) void this.#secure(visitor)
    else this.#pause(visitor)
  }

  #enter(client: Client, parts: GateParts): Session | string {
    if (this.#isDraining) return 'shutting down'
    return enter(client, parts, { admission: this.#admission, log: this.#log })
  }

  /** A peer says whom it speaks for: it goes, and that client is in, who gets no greet pause. */
  #succeed(visitor: Visitor, whereabouts: Whereabouts): Session | Reply {
    const client = clientOfPeer(whereabouts)
    const session = this.#enter(client, visitor.parts)
    const peer = visitor.session.client.ip.text
    if (typeof session === 'string') return this.#refusal(client, session)
    this.#log.event('client.introduced', { client: client.ip.text, peer })
    this.#receive(visitor.succeededBy(session))
    visitor.session.close()
    session.screening.greeted(null)
    return session
  }

  readonly #onClose = sharedListener<Socket>((socket) => {
    const session = this.#sockets.get(socket) ?? null
    if (session === null) this.#forget(socket)
    else session.close()
  })

  #forget(socket: Socket): void {
    this.#sockets.delete(socket)
    if (this.#sockets.size === 0) this.#onEmpty()
  }

  get #isDraining(): boolean {
    return this.#draining.signal.aborted
  }

  #receive({ accepted, session, parts }: Visitor): void {
    this.#sockets.set(accepted, session)
    this.#residents.add(session)
    parts.life.enter()
    session.screening.arrived()
  }

  readonly #onLeft = ({ accepted, session, parts }: Visitor): void => {
    parts.life.leave()
    this.#admission.leave(session.client.ip)
    this.#residents.remove(session)
    if (this.#sockets.get(accepted) === session) this.#forget(accepted)
  }

  /** TLS from the first byte: the pause is one before the greeting, and not before the handshake. */
  async #secure(visitor: Visitor): Promise<void> {
    const { socket, session, parts } = visitor
    try {
      const secured = await parts.secure(socket, session)
      if (secured === null) return void socket.destroy()
      visitor.socket = secured
      this.#pause(visitor)
    } catch (error) {
      this.#failed(visitor, error)
    }
  }

  #pause(visitor: Visitor): void {
    const { greeting, session } = visitor.parts
    // Who speaks for others is not who is to be kept waiting.
    const atOnce = session.observeOnly || maySpeakForOthers(visitor.session.client, visitor.parts)
    if (atOnce) this.#onPauseEnd(visitor, { kind: 'greet', talk: null })
    else greetPause(visitor, greeting, this.#clock, this.#onPauseEnd)
  }

  readonly #onPauseEnd = (visitor: Visitor, end: PauseEnd): void => {
    try {
      this.#greet(visitor, end)
    } catch (error) {
      this.#failed(visitor, error)
    }
  }

  #failed({ socket }: Visitor, error: unknown): void {
    this.#log.fault('gate', error)
    this.#goodbye.say(socket, ourFault)
  }

  #greet(visitor: Visitor, end: PauseEnd): void {
    const { socket, session, parts } = visitor
    if (end.kind === 'gone') {
      // Either the client left, or we have ended it and it is to hear so.
      const { reason } = session.leaving
      if (reason instanceof Ended) this.#goodbye.say(socket, reason.reply)
      else socket.end()
      return
    }
    if (end.kind === 'reject') {
      session.ledger.reason = replyText(earlyTalk)
      return this.#goodbye.say(socket, earlyTalk)
    }
    if (comesTooLate(session, end.talk, parts)) {
      session.ledger.reason = `421 4.7.0 Sorry, ${shortOfMemory}`
      return this.#turnAway(socket, session.client, shortOfMemory)
    }
    session.screening.greeted(end.talk?.toString('latin1') ?? null)
    if (end.talk !== null) socket.unshift(end.talk)
    const isPeer = maySpeakForOthers(session.client, parts)
    parts.serve(socket, session, isPeer ? (client) => this.#succeed(visitor, client) : null)
  }

  #turnAway(socket: Socket, client: Client, why: string): void {
    this.#goodbye.say(socket, this.#refusal(client, why))
  }

  #refusal({ ip }: Client, why: string): Reply {
    this.#log.event('gate.turned-away', { client: ip.text, why })
    return this.#isDraining ? shuttingDown : reply(421, '4.7.0', `Sorry, ${why}`)
  }
}
