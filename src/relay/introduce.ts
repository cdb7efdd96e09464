/**
 * Tells the back end who the client is, so that its own checks and logs see the client and not us.
 *
 * XCLIENT as Postfix defines it (XCLIENT_README): everything in one command, since a later one
 * would reset what an earlier one said; only attributes that the back end lists, since Exim ends
 * the conversation at one it does not know; values in xtext.
 */

import type { Hello } from '../core/client.ts'
import { toXtext } from '../core/envelope.ts'
import type { Ip } from '../core/ip.ts'
import { isPositive, type Reply } from '../core/reply.ts'
import type { Capabilities } from './capabilities.ts'
import type { Conversation } from './conversation.ts'

/** The client, as far as it is known when the conversation begins. */
export interface Introduction {
  readonly ip: Ip
  readonly port: number
  /** Forward-confirmed name; null where there is none. */
  readonly name: string | null
  /** True when the look-up failed, so that nobody knows whether there is a name. */
  readonly nameUnknown: boolean
  /** What the PTR record says, confirmed or not. */
  readonly reverseName: string | null
  readonly helo: Hello
  /** The address and port the client connected to. */
  readonly local: { readonly address: string; readonly port: number }
  readonly login: string | null
}

/** Longest value that Postfix takes. */
const valueMax = 255

/** True when the back end can be told the client's address; without it the rest is worth nothing. */
export function offersXclient(capabilities: Capabilities): boolean {
  return attributesOf(capabilities).has('ADDR')
}

/** The XCLIENT command for what this back end wants to know; null when it cannot be told the address. */
export function xclientCommand(capabilities: Capabilities, client: Introduction): string | null {
  if (!offersXclient(capabilities)) return null
  const wanted = attributesOf(capabilities)
  const unknown = client.nameUnknown ? '[TEMPUNAVAIL]' : '[UNAVAILABLE]'
  const known: Readonly<Record<string, string | null>> = {
    NAME: client.name ?? unknown,
    REVERSE_NAME: client.reverseName ?? unknown,
    ADDR: client.ip.family === 6 ? `IPV6:${client.ip.text}` : client.ip.text,
    PORT: String(client.port),
    PROTO: client.helo.verb === 'EHLO' ? 'ESMTP' : 'SMTP',
    HELO: client.helo.name,
    LOGIN: client.login,
    DESTADDR: client.local.address.includes(':')
      ? `IPV6:${client.local.address}`
      : client.local.address,
    DESTPORT: String(client.local.port),
  }
  const attributes = Object.entries(known)
    .filter(([key, value]) => wanted.has(key) && value !== null)
    .map(([key, value]) => `${key}=${shortened(toXtext(value ?? ''))}`)
  return `XCLIENT ${attributes.join(' ')}`
}

function attributesOf(capabilities: Capabilities): ReadonlySet<string> {
  return new Set((capabilities.get('XCLIENT') ?? '').toUpperCase().split(/\s+/))
}

/** Cut to what Postfix takes, but not in the middle of "+XX". */
function shortened(xtext: string): string {
  return xtext.slice(0, valueMax).replace(/\+[0-9A-F]?$/, '')
}

/**
 * Introduces the client. Afterwards the back end has heard the client's own HELO, as it judges that too.
 *
 * @returns null when all went well, else the refusal: the back end's answer to the client itself.
 * @throws BackendLost
 */
export async function introduce(
  conversation: Conversation,
  command: string,
  { helo }: Introduction,
  limitMs: number,
): Promise<Reply | null> {
  const welcome = await conversation.say(command, limitMs)
  if (!isPositive(welcome)) return welcome
  const greeted = await conversation.greet(helo.verb, helo.name, limitMs)
  return isPositive(greeted) ? null : greeted
}
