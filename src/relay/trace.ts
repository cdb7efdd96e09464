/**
 * The header lines that Treacle writes above a message: Received (RFC 5321 section 4.4) and what
 * the reasons add. Every value in them came from a stranger, so each is checked or replaced.
 */
import { parseHostname } from '../core/hostname.ts'
import { addressLiteral, type Ip, parseAddressLiteral } from '../core/ip.ts'
import { remembered } from '../core/remembered.ts'

/** Headers of ours; whoever sends them to us forges them. The final "-" stands for all that begin so. */
export const ownHeaders = ['x-helo-warning', 'x-helo-dubious', 'x-treacle-'] as const

export interface Trace {
  readonly client: Ip
  /** Forward-confirmed; null where there is none. */
  readonly name: string | null
  readonly helo: string
  /** "SMTP", "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" (RFC 3848). */
  readonly protocol: string
  readonly by: string
  readonly id: string
  /** The only recipient; null when there are several, who are not to learn of each other. */
  readonly recipient: string | null
  readonly at: Date
}

export function receivedLine(trace: Trace): string {
  const info = trace.name === null ? '' : `${trace.name} `
  const recipient =
    trace.recipient !== null && isPlainAddress(trace.recipient)
      ? `\r\n\tfor <${trace.recipient}>`
      : ''
  return (
    `Received: from ${heloDomain(trace.helo)} (${info}${addressLiteral(trace.client)})\r\n` +
    `\tby ${trace.by} (Treacle) with ${trace.protocol} id ${trace.id}${recipient};\r\n` +
    `\t${dateTime(trace.at)}\r\n`
  )
}

/** A header line of a reason, with nothing in it that could begin another. */
export function headerLine(text: string): string {
  return `${text.replace(/[^\x20-\x7e]/g, '?').slice(0, 900)}\r\n`
}

/** Extended-Domain is a domain or a literal; what is neither cannot stand there. */
const heloDomain = remembered(1_000, (helo) => {
  const literal = parseAddressLiteral(helo)
  if (literal !== null) return addressLiteral(literal)
  return parseHostname(helo) === null ? 'unknown' : helo
})

function isPlainAddress(address: string): boolean {
  return /^[\x21-\x3b\x3d\x3f-\x7e]+$/.test(address)
}

/** RFC 5322 section 3.3. */
function dateTime(at: Date): string {
  return at.toUTCString().replace('GMT', '+0000')
}
