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
import { isPrivate, parseIp } from '../core/ip.ts'
import { type Reply, replyText } from '../core/reply.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from './capabilities.ts'
import { Conversation } from './conversation.ts'
import { DialError, type Dialled, dial, parseAddress } from './dial.ts'
import { type Introduction, introduce, offersXclient, xclientCommand } from './introduce.ts'
import type { BackendOptions } from './options.ts'

/** None of its addresses could be reached. */
export class BackendUnreachable extends Error {
  override readonly name = 'BackendUnreachable'
}

/** It may not be used, since it cannot be told who the client is and would trust us instead. */
export class OpenRelayRisk extends Error {
  override readonly name = 'OpenRelayRisk'
}

/** The back end did not want to talk with this client; the reply is its own. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reply: Reply

  constructor(answer: Reply) {
    super(replyText(answer))
    this.reply = answer
  }
}

export class Backend {
  readonly options: BackendOptions
  readonly #name: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #dialWith: typeof dial
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
    if (recipient_domains.length > 0 || how === 'xclient') return false
    return addresses.some((address) => isPrivateText(parseAddress(address).host))
  }

  /** True when mail for this domain may be passed on; the bare "postmaster" has none and may always. */
  takes(domain: string): boolean {
    const { recipient_domains } = this.options
    if (recipient_domains.length === 0 || domain === '') return true
    return recipient_domains.some((listed) =>
      listed.startsWith('*.') ? domain.endsWith(listed.slice(1)) : domain === listed,
    )
  }

  /**
   * Opens a conversation in which the back end knows who the client is.
   *
   * @throws BackendUnreachable, OpenRelayRisk, Refusal, BackendLost, or `signal.reason`.
   */
  async converse(client: Introduction, signal: AbortSignal): Promise<Conversation> {
    const dialled = await this.#dial(signal)
    const command = this.#introduction(dialled, client)
    const conversation = new Conversation(dialled, this.#clock)
    if (command === null) return conversation
    const stop = () => conversation.destroy()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const refusal = await introduce(conversation, command, client, this.options.command_timeout)
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

  /**
   * Asks what the back end offers, and whether it may be used at all.
   *
   * @throws BackendUnreachable, OpenRelayRisk, or `signal.reason`.
   */
  async probe(signal: AbortSignal): Promise<Capabilities> {
    const dialled = await this.#dial(signal)
    const conversation = new Conversation(dialled, this.#clock)
    conversation.quit()
    this.#mustBeSafe(dialled, offersXclient(dialled.capabilities))
    return dialled.capabilities
  }

  async #dial(signal: AbortSignal): Promise<Dialled> {
    // Each address tried listens on the signal for a moment; that is no leak.
    setMaxListeners(64, signal)
    const failures: string[] = []
    for (const address of this.#inOrder()) {
      try {
        const dialled = await this.#dialWith(address, this.#name, this.options, this.#clock, signal)
        this.#reached(address, dialled)
        return dialled
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof DialError)) throw error
        failures.push(error.message)
        this.#passedOverUntil.set(address, this.#clock.now() + this.options.retry_after)
      }
    }
    return this.#unreachable(failures)
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

  #introduction(dialled: Dialled, client: Introduction): string | null {
    const command =
      this.options.introduce === 'none' ? null : xclientCommand(dialled.capabilities, client)
    try {
      this.#mustBeSafe(dialled, command !== null)
    } catch (error) {
      dialled.socket.destroy()
      throw error
    }
    return command
  }

  /** @throws OpenRelayRisk when the back end would take us for a friend and knows no better. */
  #mustBeSafe({ socket }: Dialled, told: boolean): void {
    const { introduce: how, recipient_domains } = this.options
    const trusts =
      socket.remoteAddress === socket.localAddress || isPrivateText(socket.remoteAddress)
    const where = `${socket.remoteAddress}:${socket.remotePort}`
    if (how === 'xclient' && !told) {
      this.#risk(`the back end at ${where} does not offer XCLIENT, which backend.introduce demands`)
    }
    if (trusts && !(told && how !== 'none') && recipient_domains.length === 0) {
      this.#risk(
        `the back end at ${where} would trust our address and is not told who the client is`,
      )
    }
  }

  #risk(why: string): never {
    this.#log.event('backend.open-relay-risk', { why })
    throw new OpenRelayRisk(why)
  }
}

function isPrivateText(address: string | undefined): boolean {
  const ip = parseIp(address ?? '')
  return ip === null || isPrivate(ip)
}
