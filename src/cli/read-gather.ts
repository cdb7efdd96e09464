/**
 * Puts the lines of a log that are about one connection together.
 *
 * What tells one connection from another differs by log; here it is a key. Memory is bounded: when
 * too many are open, the one that was silent longest is taken for over.
 */
import type { Ip } from '../core/ip.ts'
import type { NameState, Recorded, Sink } from './read-record.ts'

/** What is known so far of a connection that may not be over. */
export interface Pending {
  readonly line: number
  readonly ip: Ip
  name: string
  nameState: NameState
  helo: string
  sender: string | null
  earlyTalk: string | null
  authenticated: boolean
  /** "accepted" wins over "refused", and both over nothing. */
  outcome: 'accepted' | 'refused' | 'no mail'
  readonly recipients: Set<string>
  /** When the log last told of it, in seconds. */
  heardAt: number
}

const openMax = 10_000
const recipientsMax = 1_000

export class Gathering {
  readonly #sink: Sink
  readonly #open = new Map<string, Pending>()

  constructor(sink: Sink) {
    this.#sink = sink
  }

  get(key: string): Pending | undefined {
    return this.#open.get(key)
  }

  /** The connection of this key: the one that is open, or a new one. */
  of(key: string, ip: Ip, line: number, heardAt: number): Pending {
    const pending = this.#open.get(key) ?? begin(ip, line, heardAt)
    pending.heardAt = heardAt
    // The order of a Map is that of insertion: the first one was silent longest.
    this.#open.delete(key)
    this.#open.set(key, pending)
    if (this.#open.size > openMax) this.close(this.#open.keys().next().value ?? key)
    return pending
  }

  /** It is over, and counts. */
  close(key: string): void {
    const pending = this.forget(key)
    if (pending === undefined) return
    const { line, ip, name, nameState, helo, sender, earlyTalk, authenticated } = pending
    const recorded: Recorded = {
      ...{ line, ip, name, nameState, helo, sender, earlyTalk, authenticated },
      label: pending.outcome,
      source: '',
      hop: '',
      recipients: [...pending.recipients],
    }
    this.#sink.connection(recorded)
  }

  /** It is over, and told of elsewhere. */
  forget(key: string): Pending | undefined {
    const pending = this.#open.get(key)
    this.#open.delete(key)
    return pending
  }

  /** Closes those that were silent since before `heardAt`, in seconds. */
  closeSilent(heardAt: number): void {
    for (const [key, pending] of this.#open) {
      if (pending.heardAt >= heardAt) return
      this.close(key)
    }
  }

  end(): void {
    for (const key of [...this.#open.keys()]) this.close(key)
  }
}

function begin(ip: Ip, line: number, heardAt: number): Pending {
  return {
    ...{ line, ip, heardAt, name: '', helo: '', sender: null, earlyTalk: null },
    nameState: 'unknown',
    authenticated: false,
    outcome: 'no mail',
    recipients: new Set(),
  }
}

export function accept(pending: Pending): void {
  pending.outcome = 'accepted'
}

export function refuse(pending: Pending): void {
  if (pending.outcome === 'no mail') pending.outcome = 'refused'
}

/** The first sender stays: one connection is judged by one. */
export function noteSender(pending: Pending, sender: string | undefined): void {
  if (sender !== undefined) pending.sender ??= sender
}

export function noteRecipient(pending: Pending, recipient: string | undefined): void {
  if (recipient === undefined || pending.recipients.size >= recipientsMax) return
  pending.recipients.add(recipient)
}
