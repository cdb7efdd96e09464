/**
 * The door: accepts connections, counts them, holds back the greeting, and hands on who may come in.
 *
 * Until the greeting a client costs a socket, a session and a timer. Whoever is over a limit hears
 * 421 and is gone; nobody is ever let in uncounted.
 */
import type { Server, Socket } from 'node:net'
import type { Client } from '../core/client.ts'
import type { Clock } from '../core/clock.ts'
import { reply, replyText } from '../core/reply.ts'
import type { Log } from '../observe/log.ts'
import { Ended } from '../session/ended.ts'
import { Session } from '../session/session.ts'
import { Admission } from './admission.ts'
import { clientBehind, clientOf, sharedListener } from './arrival.ts'
import { Goodbye } from './goodbye.ts'
import { greetPause, type PauseEnd, suspicionOf } from './greeting.ts'
import { listen, type Place } from './listener.ts'
import type { GateParts, Visitor } from './parts.ts'
import { readProxyHeader } from './proxy-reader.ts'
import { Residents } from './residents.ts'

/** How long a proxy may take to say who the client is. */
const proxyHeaderMs = 5_000

const earlyTalk = reply(554, '5.5.1', 'Protocol error: you talked before the greeting')
const shuttingDown = reply(421, '4.3.2', 'Shutting down; try again later')
const shortOfMemory = 'short of memory'
const ourFault = reply(421, '4.3.0', 'Something went wrong here; try again later')

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
   * @throws What the operating system says, such as EADDRINUSE or EACCES.
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
    socket.on('error', ignore)
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
    const { governor, limits } = parts
    const { guard, networks, screening } = parts.session
    const { ip } = client
    const addressHidden = guard.hides(ip)
    const knownGood = !addressHidden && screening.knownGood.matches({ ip, name: null })
    const arriving = { ip, knownGood, addressHidden }
    const full = this.#isDraining
      ? 'shutting down'
      : governor.turnsAway(0) && !knownGood
        ? shortOfMemory
        : this.#admission.enter(arriving, limits)
    if (full !== null) return this.#turnAway(socket, client, full)
    if (addressHidden) this.#log.event('guard.suspended', { client: ip.text })
    const fromNetwork = this.#admission.fromNetwork(ip)
    const seenBefore = addressHidden ? null : networks.knows(ip.network)
    const arrival = { fromNetwork, seenBefore, addressHidden }
    this.#receive({ socket, session: new Session(client, parts.session, arrival), parts }, tls)
  }

  // One listener for all: thousands who wait would each have one of their own.
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

  #receive(visitor: Visitor, tls: boolean): void {
    const { socket, session, parts } = visitor
    this.#sockets.set(socket, session)
    this.#residents.add(session)
    parts.life.enter()
    // STARTTLS takes all listeners off the bare socket, so who is gone is heard from the session.
    session.onClosed = () => {
      parts.life.leave()
      this.#admission.leave(session.client.ip)
      this.#residents.remove(session)
      this.#forget(socket)
    }
    session.screening.arrived()
    if (tls) void this.#secure(visitor)
    else this.#pause(visitor)
  }

  /** TLS from the first byte: the pause is one before the greeting, and not before the handshake. */
  async #secure(visitor: Visitor): Promise<void> {
    const { socket, session, parts } = visitor
    try {
      const secured = await parts.secure(socket, session)
      if (secured !== null) this.#pause({ ...visitor, socket: secured })
    } catch (error) {
      this.#failed(visitor, error)
    }
  }

  #pause(visitor: Visitor): void {
    const { greeting, session } = visitor.parts
    if (session.observeOnly) this.#onPauseEnd(visitor, { kind: 'greet', talk: null })
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

  #greet({ socket, session, parts }: Visitor, end: PauseEnd): void {
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
    if (this.#comesTooLate(session, end.talk, parts)) {
      session.ledger.reason = `421 4.7.0 Sorry, ${shortOfMemory}`
      return this.#turnAway(socket, session.client, shortOfMemory)
    }
    session.screening.greeted(end.talk?.toString('latin1') ?? null)
    if (end.talk !== null) socket.unshift(end.talk)
    parts.serve(socket, session)
  }

  /** Short of memory, the most suspicious of those who come now are not let in. */
  #comesTooLate(session: Session, talk: Buffer | null, { governor, session: parts }: GateParts) {
    if (!governor.isShort || parts.observeOnly || session.screening.isKnownGood()) return false
    return governor.turnsAway(suspicionOf(session, talk, parts.delay.options.full_at).fraction)
  }

  #turnAway(socket: Socket, { ip }: Client, why: string): void {
    this.#log.event('gate.turned-away', { client: ip.text, why })
    const answer = this.#isDraining ? shuttingDown : reply(421, '4.7.0', `Sorry, ${why}`)
    this.#goodbye.say(socket, answer)
  }
}

function ignore(): void {}
