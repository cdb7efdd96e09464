/** The words of a line, and what follows from the first before anybody looks at the rest. */

import { remembered } from '../core/remembered.ts'

/** "EHLO" of "ehlo mail.example.org"; "" where the line begins with no word. */
export function verbOf(line: Buffer): string {
  const space = line.indexOf(0x20)
  const end = space === -1 ? line.length : space
  return end > verbMax ? '' : inCapitals(line.toString('latin1', 0, end))
}

/** The same few words over and over. */
const inCapitals = remembered(1_000, (word) => word.toUpperCase())

const verbMax = 16

/**
 * Whether a command must be the last of a group, since its reply decides what may follow
 * (RFC 2920 section 3.1). QUIT is left out: what comes after it is nobody's business any more.
 */
export function mustBeLast(verb: string): boolean {
  return waitedFor.has(verb)
}

const waitedFor = new Set([
  ...['EHLO', 'HELO', 'DATA', 'VRFY', 'EXPN', 'NOOP', 'ETRN', 'STARTTLS', 'AUTH', 'XCLIENT'],
])

/** Commands of mail that we know and do not have (RFC 5321 section 4.2.4). */
export function isNotImplemented(verb: string): boolean {
  return notImplemented.has(verb)
}

const notImplemented = new Set([
  ...['STARTTLS', 'AUTH', 'EXPN', 'ETRN', 'TURN', 'ATRN', 'SEND', 'SOML', 'SAML', 'BDAT', 'BURL'],
])

/**
 * Whether this is the first line of HTTP: a web browser that somebody has sent here, whose next
 * lines he has written (ALPACA, CVE-2021-3618).
 */
export function isHttp(verb: string): boolean {
  return httpVerbs.has(verb)
}

const httpVerbs = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PRI'],
])

/** What stands between spaces (RFC 5321 section 4.1.2), and no other character is one. */
export function wordsOf(text: string): string[] {
  return text.split(' ').filter((word) => word !== '')
}
