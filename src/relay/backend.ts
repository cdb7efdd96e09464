/**
 * The mail server behind us: its addresses, whether they answer, and what it offers.
 *
 * It keeps no queue and no connection of its own; it opens a conversation when a client has
 * something to say, and makes sure that we never become an open relay: a server on our own host or
 * network trusts our address, so it must either be told who the client is or be asked for listed
 * domains only.
 */
import { setMaxListeners } from 'node:events'
import type { Clock, Instant } from '../core/clock.ts'
import { endpointOf } from '../core/endpoint.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from './capabilities.ts'
import { Conversation } from './conversation.ts'
import { DialError, type Dialled, dial, type Preface } from './dial.ts'
import { BackendUnreachable, InTheClear, LoginLost, OpenRelayRisk, Refusal } from './failures.ts'
import {
  greetingVerb,
  type Introduction,
  introduce,
  offersXclient,
  takesLogin,
  xclientCommand,
  xforwardCommand,
} from './introduce.ts'
import { addressOf, isDemanded, isPrivateText, isProxied, riskIn, trustsUs } from './open-relay.ts'
import type { BackendOptions } from './options.ts'
import { endsOf, proxyHeader } from './proxy-header.ts'
import { Spare } from './spare.ts'

export class Backend {
  readonly options: BackendOptions
  readonly #name: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #dialWith: typeof dial
  /** What may serve the next client as well. */
  readonly spare: Spare
  readonly #passedOverUntil = new Map<string, Instant>()
  #capabilities: Capabilities | null = null
  #healthy = true

  constructor(
    options: BackendOptions,
    name: string,
    clock: Clock,
    log: Log,
    dialWith: typeof dial = dial,
  ) {
    this.options = options
    this.#name = name
    this.#clock = clock
    this.#log = log
    this.#dialWith = dialWith
    this.spare = new Spare(clock, options.reuse)
  }

  /** What it offered when we last spoke to it; null before the first time. */
  get capabilities(): Capabilities | null {
    return this.#capabilities
  }

  get healthy(): boolean {
    return this.#healthy
  }

  /**
   * True when nothing in the configuration makes sure that the back end does not take us for a
   * friend, so that only asking it can tell (RFC 5321 has no word for it; see decision 3).
   */
  get needsProof(): boolean {
    const { introduce: how, recipient_domains, addresses } = this.options
    if (recipient_domains.length > 0 || isDemanded(how)) return false
    return addresses.some((address) => isPrivateText(endpointOf(address).host))
  }

  /**
   * Opens a conversation in which the back end knows who the client is.
   *
   * @param again Whether the client has logged in to another one; then this must be told of it.
   * @throws What failures.ts has, BackendLost, or `signal.reason`.
   */
  async converse(client: Introduction, signal: AbortSignal, again = false): Promise<Conversation> {
    const dialled = await this.#dial(signal, client)
    const command = this.#xclient(dialled, client)
    this.#mustBeSafe(dialled, command !== null)
    this.#mustBePrivate(dialled, client)
    if (again && (command === null || !takesLogin(dialled.capabilities, client.login ?? ''))) {
      new Conversation(dialled, this.#clock).quit()
      throw new LoginLost('the back end cannot be told who has logged in')
    }
    const conversation = new Conversation(dialled, this.#clock)
    const { introduce: how, protocol, command_timeout, recipient_domains } = this.options
    const isTold = command !== null || isProxied(how)
    conversation.mayServeOthers = !isTold
    // Domains are listed for one that trusts us, be it a neighbour or elsewhere with our address on a list.
    conversation.mayRelayForUs = !isTold && recipient_domains.length > 0
    conversation.isPrivate = dialled.secure || trustsUs(dialled.socket)
    if (!isTold) return conversation
    const hello = { verb: greetingVerb(client, protocol), name: client.helo.name }
    const stop = () => conversation.destroy()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const refusal = await introduce(conversation, command, hello, command_timeout)
      if (refusal !== null) throw new Refusal(refusal)
      return conversation
    } catch (error) {
      conversation.destroy()
      signal.throwIfAborted()
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** What to say before a message so that the log of the back end names the client; null: nothing. */
  forwarding({ capabilities }: Conversation, client: () => Introduction): string | null {
    const { introduce: how, protocol } = this.options
    const told = how === 'auto' && offersXclient(capabilities)
    if (told || (how !== 'auto' && how !== 'xforward')) return null
    return xforwardCommand(capabilities, client, protocol)
  }

  /**
   * Asks what the back end offers, and whether it may be used at all.
   *
   * @throws BackendUnreachable, OpenRelayRisk, or `signal.reason`.
   */
  async probe(signal: AbortSignal): Promise<Capabilities> {
    const dialled = await this.#dial(signal, null)
    this.#mustBeSafe(dialled, offersXclient(dialled.capabilities))
    const conversation = new Conversation(dialled, this.#clock)
    conversation.quit()
    return dialled.capabilities
  }

  /** @param client Whom a PROXY header names; null: ourselves. */
  async #dial(signal: AbortSignal, client: Introduction | null): Promise<Dialled> {
    // Each address tried listens on the signal for a moment; that is no leak.
    setMaxListeners(64, signal)
    const failures: string[] = []
    for (const address of this.#inOrder()) {
      try {
        return await this.#dialOne(address, signal, client)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof DialError)) throw error
        failures.push(error.message)
        this.#passedOverUntil.set(address, this.#clock.now() + this.options.retry_after)
      }
    }
    return this.#unreachable(failures)
  }

  async #dialOne(
    address: string,
    signal: AbortSignal,
    client: Introduction | null,
  ): Promise<Dialled> {
    const { options } = this
    const { introduce: how } = options
    const preface: Preface | null = isProxied(how)
      ? (socket) => proxyHeader(how, client ?? endsOf(socket))
      : null
    try {
      const dialled = await this.#dialWith(
        address,
        this.#name,
        options,
        this.#clock,
        signal,
        preface,
      )
      this.#reached(address, dialled)
      return dialled
    } catch (error) {
      const refusal = error instanceof DialError ? error.refusal : null
      if (preface === null || client === null || refusal === null) throw error
      // Either it does not want this client, or it does not understand us and would say so to
      // everybody; then we hear it, too.
      const proof = await this.#dialOne(address, signal, null)
      this.#mustBeSafe(proof, false)
      new Conversation(proof, this.#clock).quit()
      throw new Refusal(refusal)
    }
  }

  /** The addresses as listed, those that have just failed last. */
  #inOrder(): string[] {
    const now = this.#clock.now()
    const failing = (address: string) => (this.#passedOverUntil.get(address) ?? 0) > now
    const { addresses } = this.options
    return [...addresses.filter((a) => !failing(a)), ...addresses.filter(failing)]
  }

  #reached(address: string, dialled: Dialled): void {
    this.#passedOverUntil.delete(address)
    this.#capabilities = dialled.capabilities
    if (!this.#healthy) this.#log.event('backend.up', { address })
    this.#healthy = true
  }

  #unreachable(failures: readonly string[]): never {
    const why = failures.join('; ')
    this.#log.event('backend.down', { why })
    this.#healthy = false
    throw new BackendUnreachable(why)
  }

  #xclient({ capabilities }: Dialled, client: Introduction): string | null {
    const { introduce: how, protocol } = this.options
    if (how !== 'auto' && how !== 'xclient') return null
    return xclientCommand(capabilities, client, protocol)
  }

  /** @throws OpenRelayRisk when the back end would take us for a friend and knows no better. */
  #mustBeSafe({ socket, extended }: Dialled, offered: boolean): void {
    const { introduce: how, recipient_domains } = this.options
    const risk = riskIn({
      how,
      // Whoever takes a PROXY header for a command answers it, in place of EHLO.
      told: isProxied(how) ? extended : offered && (how === 'auto' || how === 'xclient'),
      listed: recipient_domains.length > 0,
      trusts: trustsUs(socket),
    })
    if (risk === null) return
    socket.destroy()
    const why = `the back end at ${addressOf(socket)} ${risk}`
    this.#log.event('backend.open-relay-risk', { why })
    throw new OpenRelayRisk(why)
  }

  /**
   * What came under TLS goes on without it only where nobody listens: on this host or network.
   *
   * @throws InTheClear
   */
  #mustBePrivate({ socket, secure }: Dialled, client: Introduction): void {
    if (secure || !client.secure) return
    const address = addressOf(socket)
    if (trustsUs(socket)) return this.#log.event('backend.in-the-clear', { address })
    socket.destroy()
    this.#log.event('backend.tls-missing', { address })
    throw new InTheClear(`the back end at ${address} offers no TLS`)
  }
}
