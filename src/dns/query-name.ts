/**
 * Names as DNS asks for them.
 *
 * Most come from strangers: from HELO, from MAIL FROM, from the PTR records of an address that a
 * spammer owns. What cannot be the name of anything is never sent to a resolver.
 */
import { domainToASCII } from 'node:url'
import { parseHostname } from '../core/hostname.ts'
import { remembered } from '../core/remembered.ts'

/** How many names of one address are looked at: its owner can publish as many as he likes. */
export const pointersMax = 8

/**
 * A name in lower case without the final dot, in ASCII (RFC 5891); null when no query can be made
 * of it (RFC 1035 section 2.3.4).
 */
export const queryName = remembered(2_000, readQueryName)

function readQueryName(text: string): string | null {
  // Looked at before anything else: domainToASCII drops line breaks and stops at a slash.
  if (text.length > 254 || /[^a-z0-9_.\x80-\u{10ffff}-]/iu.test(text)) return null
  // Nor is an ASCII name its business, since it takes "1.2.3.zone.1" for an address.
  const ascii = /[^a-z0-9_.-]/i.test(text) ? domainToASCII(text) : text
  const name = ascii.toLowerCase().replace(/\.$/, '')
  if (name.length > 253) return null
  return name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label)) ? name : null
}

/**
 * The host names among the PTR names of an address, at most `pointersMax`, in the order of the
 * answer.
 *
 * Of a longer list the first in alphabetical order are taken. Servers and caches turn the order of
 * records round as they like, and what we think of a client must not depend on that.
 */
export function pointerNames(raw: readonly string[]): readonly string[] {
  const names = [...new Set(raw.map(parseHostname).filter((name) => name !== null))]
  return names.length > pointersMax ? names.sort().slice(0, pointersMax) : names
}
