/** The envelope of a message (RFC 5321 section 2.3.1): values, already checked, in the client's spelling. */

import { isUtf8 } from 'node:buffer'

/** MAIL FROM with its parameters. */
export interface Sender {
  /** "" for the null reverse-path. Local part and domain as the client spelt them. */
  readonly address: string
  /** Declared size in bytes (RFC 1870); null when none was. */
  readonly size: number | null
  readonly body: '7BIT' | '8BITMIME' | null
  readonly smtputf8: boolean
  /** It must not travel without TLS (RFC 8689). */
  readonly requireTls: boolean
  /** RFC 3461 section 4.3. */
  readonly ret: 'FULL' | 'HDRS' | null
  /** RFC 3461 section 4.4, decoded from xtext. */
  readonly envid: string | null
}

/** MAIL FROM without parameters. */
export function plainSender(address: string): Sender {
  return {
    address,
    size: null,
    body: null,
    smtputf8: false,
    requireTls: false,
    ret: null,
    envid: null,
  }
}

/** RCPT TO with its parameters. */
export interface Recipient {
  readonly address: string
  /** RFC 3461 section 4.1: "NEVER", or a list of the others. */
  readonly notify: string | null
  /** RFC 3461 section 4.2; the address is decoded from xtext. */
  readonly orcpt: { readonly type: string; readonly address: string } | null
}

/** The part before the last "@", and the domain in lower case ("" for the bare "postmaster"). */
export function splitAddress(address: string): { readonly local: string; readonly domain: string } {
  const at = address.lastIndexOf('@')
  if (at === -1) return { local: address, domain: '' }
  return { local: address.slice(0, at), domain: address.slice(at + 1).toLowerCase() }
}

/** A pattern: a domain of names in any script (RFC 6531 section 3.3). */
export const namesPattern = '[\\p{L}\\p{M}\\p{N}_-]+(?:\\.[\\p{L}\\p{M}\\p{N}_-]+)*'

/** A pattern: what splitAddress may give as the domain, names or an address literal. */
export const domainPattern = `(?:${namesPattern}|\\[[^\\s[\\]@]+\\])`

/** xtext (RFC 3461 section 4): everything but printable ASCII, and "+" and "=", becomes "+XX". */
export function toXtext(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  let out = ''
  for (const byte of bytes) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x2b && byte !== 0x3d
    out += plain
      ? String.fromCharCode(byte)
      : `+${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

/** The text that xtext stands for; null when it is malformed, no UTF-8, or hides a control character. */
export function fromXtext(xtext: string): string | null {
  if (!/^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*$/.test(xtext)) return null
  const bytes = Buffer.from(
    xtext.replace(/\+([0-9A-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  )
  const hidesControl = bytes.some((byte) => byte < 0x20 || byte === 0x7f)
  return hidesControl || !isUtf8(bytes) ? null : bytes.toString('utf8')
}
