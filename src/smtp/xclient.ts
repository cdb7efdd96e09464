/**
 * XCLIENT as a peer says it that speaks for its clients (Postfix, XCLIENT_README).
 *
 * What it says must be right to the letter or all of it is refused: it goes into headers, logs and
 * our own XCLIENT. Where the client is and who has logged in is believed. Names are not: we look
 * them up, and the client says HELO again.
 */
import type { Client, Whereabouts } from '../core/client.ts'
import { fromXtext } from '../core/envelope.ts'
import { parseIp } from '../core/ip.ts'
import { reply } from '../core/reply.ts'
import { type Parsed, parseHelo } from './command.ts'
import { wordsOf } from './verbs.ts'

/** What a peer says of the client that it speaks for. */
export interface Introduced extends Whereabouts {
  /** Who has logged in there; null when nobody has. */
  readonly login: string | null
}

/** What EHLO says of it: some of these only so that nobody has to leave them out. */
export const xclientKeyword =
  'XCLIENT NAME ADDR PORT PROTO HELO LOGIN REVERSE_NAME DESTADDR DESTPORT'

/** Longest value, as Postfix has it. */
const valueMax = 255

/** @param line "XCLIENT ADDR=192.0.2.7 LOGIN=alice". @param peer Stands where nothing is said. */
export function parseXclient(line: string, peer: Client): Parsed<Introduced> {
  const said = attributesOf(line)
  if (said === null) return { refusal: malformed }
  const addressed = (name: string) => parseIp((said.get(name) ?? '').replace(/^IPV6:/i, ''))
  const numbered = (name: string) => (said.has(name) ? Number(said.get(name)) : null)
  return {
    value: {
      ip: addressed('ADDR') ?? peer.ip,
      // A port of the peer means nothing with another address.
      port: numbered('PORT') ?? (said.has('ADDR') ? 0 : peer.port),
      local: {
        address: addressed('DESTADDR')?.text ?? peer.local.address,
        port: numbered('DESTPORT') ?? peer.local.port,
      },
      login: said.get('LOGIN') ?? null,
    },
  }
}

const malformed = reply(501, '5.5.4', 'Syntax: XCLIENT attribute=value ...')

/** What each attribute that is known may look like. */
const forms: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ['NAME', isHostName],
  ['REVERSE_NAME', isHostName],
  ['ADDR', isAddress],
  ['DESTADDR', isAddress],
  ['PORT', isPort],
  ['DESTPORT', isPort],
  ['PROTO', (value: string) => /^E?SMTP$/i.test(value)],
  ['HELO', (value: string) => 'value' in parseHelo(`HELO ${value}`)],
  ['LOGIN', (value: string) => value !== ''],
])

/** What is said and available; null when any of it is wrong. */
function attributesOf(line: string): ReadonlyMap<string, string> | null {
  const [, ...parts] = wordsOf(line)
  const seen = new Set<string>()
  const said = new Map<string, string>()
  for (const part of parts) {
    const [, key = '', xtext = ''] = /^([A-Za-z_]+)=([^=]+)$/.exec(part) ?? []
    const name = key.toUpperCase()
    const value = fromXtext(xtext)
    if (value === null || value.length > valueMax || seen.has(name)) return null
    seen.add(name)
    const fits = forms.get(name)
    if (fits === undefined) return null
    if (/^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value)) continue
    if (!fits(value)) return null
    said.set(name, value)
  }
  return seen.size === 0 ? null : said
}

function isHostName(value: string): boolean {
  return /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(value)
}

function isAddress(value: string): boolean {
  return parseIp(value.replace(/^IPV6:/i, '')) !== null
}

function isPort(value: string): boolean {
  return /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535
}
