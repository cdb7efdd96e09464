/** What the back end has yet to hear of one message, as lines in their order. */
import type { Recipient, Sender } from '../core/envelope.ts'
import { isPositive, type Reply } from '../core/reply.ts'
import type { Capabilities } from './capabilities.ts'
import { mailCommand, rcptCommand } from './commands.ts'

/** A line that is to be said to the back end. */
export interface Due {
  readonly line: string
  /** `known`: a recipient that it agreed to in another conversation. */
  readonly about: 'reset' | 'forwarding' | 'sender' | 'known' | 'new'
}

export interface Unheard {
  readonly reset: boolean
  /** XFORWARD; null where there is none. */
  readonly forwarding: string | null
  /** null when it has heard of it, and of the known recipients. */
  readonly sender: Sender | null
  readonly known: readonly Recipient[]
  readonly recipient: Recipient | null
}

export function linesDue(unheard: Unheard, capabilities: Capabilities): Due[] {
  const { reset, forwarding, sender, known, recipient } = unheard
  const due: Due[] = []
  if (reset) due.push({ line: 'RSET', about: 'reset' })
  if (forwarding !== null) due.push({ line: forwarding, about: 'forwarding' })
  if (sender !== null) {
    due.push({ line: mailCommand(sender, capabilities), about: 'sender' })
    for (const each of known) due.push({ line: rcptCommand(each, capabilities), about: 'known' })
  }
  if (recipient !== null) due.push({ line: rcptCommand(recipient, capabilities), about: 'new' })
  return due
}

/**
 * Whether the next line makes sense after this reply. What comes of XFORWARD is for the log of the back
 * end, and one that knows no RSET may take mail all the same.
 */
export function goesOnAfter(said: Due | undefined, answer: Reply): boolean {
  const decides = said?.about !== 'forwarding' && said?.about !== 'reset'
  return isPositive(answer) || (!decides && answer.code !== 421)
}
