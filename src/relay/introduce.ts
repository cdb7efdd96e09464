/**
 * Tells the back end who the client is, so that its own checks and logs see the client and not us.
 *
 * XCLIENT as Postfix defines it (XCLIENT_README): everything in one command, since a later one
 * would reset what an earlier one said; only attributes that the back end lists, since Exim ends
 * the conversation at one it does not know; values in xtext. XFORWARD (XFORWARD_README) is written
 * alike, for each message; it reaches the log of the back end and not its judgement.
 */

import type { Hello } from '../core/client.ts'
import { toXtext } from '../core/envelope.ts'
import type { Ip } from '../core/ip.ts'
import { remembered } from '../core/remembered.ts'
import { isPositive, type Reply } from '../core/reply.ts'
import type { Capabilities } from './capabilities.ts'
import type { Conversation, Greeting } from './conversation.ts'
import type { BackendOptions } from './options.ts'

export type Protocol = BackendOptions['protocol']

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
  /** Whether it speaks to us under TLS. */
  readonly secure: boolean
}

/** Longest value that Postfix takes. */
const valueMax = 255

/** True when the back end can be told the client's address; without it the rest is worth nothing. */
export function offersXclient(capabilities: Capabilities): boolean {
  return attributesOf(capabilities, 'XCLIENT').has('ADDR')
}

/** True when it can be told that this user has logged in. */
export function takesLogin(capabilities: Capabilities, login: string): boolean {
  const takes = offersXclient(capabilities) && attributesOf(capabilities, 'XCLIENT').has('LOGIN')
  return takes && isWhole(login)
}

/** The first part of the name of a user is another user. */
function isWhole(login: string): boolean {
  return toXtext(login).length <= valueMax
}

/** The XCLIENT command for what this back end wants to know; null when it cannot be told the address. */
export function xclientCommand(
  capabilities: Capabilities,
  client: Introduction,
  protocol: Protocol = 'smtp',
): string | null {
  const { name, reverseName, nameUnknown, local } = client
  const unknown = nameUnknown ? '[TEMPUNAVAIL]' : '[UNAVAILABLE]'
  return commandOf('XCLIENT', capabilities, {
    NAME: name ?? unknown,
    REVERSE_NAME: reverseName ?? unknown,
    ...commonOf(client, protocol),
    LOGIN: client.login !== null && isWhole(client.login) ? client.login : null,
    DESTADDR: local.address.includes(':') ? `IPV6:${local.address}` : local.address,
    DESTPORT: String(local.port),
  })
}

/**
 * The XFORWARD command before the next MAIL; null when the back end does not want it.
 *
 * @param introduction Who the client is; asked for where somebody wants to know.
 */
export function xforwardCommand(
  capabilities: Capabilities,
  introduction: () => Introduction,
  protocol: Protocol = 'smtp',
): string | null {
  if (!attributesOf(capabilities, 'XFORWARD').has('ADDR')) return null
  const client = introduction()
  return commandOf('XFORWARD', capabilities, {
    NAME: client.name ?? '[UNAVAILABLE]',
    ...commonOf(client, protocol),
    SOURCE: 'REMOTE',
  })
}

type Attributes = Readonly<Record<string, string | null>>

function commonOf({ ip, port, helo }: Introduction, protocol: Protocol): Attributes {
  const smtp = helo.verb === 'EHLO' ? 'ESMTP' : 'SMTP'
  return {
    ADDR: ip.family === 6 ? `IPV6:${ip.text}` : ip.text,
    PORT: String(port),
    PROTO: protocol === 'lmtp' ? 'LMTP' : smtp,
    HELO: helo.name,
  }
}

function commandOf(verb: string, capabilities: Capabilities, known: Attributes): string | null {
  const wanted = attributesOf(capabilities, verb)
  if (!wanted.has('ADDR')) return null
  const attributes = Object.entries(known)
    .filter(([key, value]) => wanted.has(key) && value !== null)
    .map(([key, value]) => `${key}=${shortened(toXtext(value ?? ''))}`)
  return `${verb} ${attributes.join(' ')}`
}

function attributesOf(capabilities: Capabilities, verb: string): ReadonlySet<string> {
  return attributesIn(capabilities.get(verb) ?? '')
}

/** Each message asks for them. */
const attributesIn = remembered(
  100,
  (list): ReadonlySet<string> => new Set(list.toUpperCase().split(/\s+/)),
)

/** Cut to what Postfix takes, but not in the middle of "+XX". */
function shortened(xtext: string): string {
  return xtext.slice(0, valueMax).replace(/\+[0-9A-F]?$/, '')
}

/** How the client's own greeting is said to a back end. */
export function greetingVerb({ helo }: Introduction, protocol: Protocol): Greeting {
  return protocol === 'lmtp' ? 'LHLO' : helo.verb
}

/**
 * Introduces the client. Afterwards the back end has heard the client's own HELO, as it judges that too.
 *
 * @param command What to say first; null when a PROXY header has told already who it is.
 * @returns null when all went well, else the refusal: the back end's answer to the client itself.
 * @throws BackendLost
 */
export async function introduce(
  conversation: Conversation,
  command: string | null,
  { verb, name }: { readonly verb: Greeting; readonly name: string },
  limitMs: number,
): Promise<Reply | null> {
  if (command !== null) {
    const welcome = await conversation.say(command, limitMs)
    if (!isPositive(welcome)) return welcome
  }
  const greeted = await conversation.greet(verb, name, limitMs)
  // OpenSMTPD takes only one EHLO; it has heard ours, and goes by the address.
  const heardOne = command === null && greeted.code === 503
  return isPositive(greeted) || heardOne ? null : greeted
}
