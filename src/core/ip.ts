/** IP addresses and networks, in one spelling each. The only file that knows ipaddr.js. */
import ipaddr from 'ipaddr.js'
import { remembered } from './remembered.ts'

/** An address in one canonical spelling; ::ffff:192.0.2.1 has become 192.0.2.1. */
export interface Ip {
  readonly text: string
  readonly family: 4 | 6
  /** Its /24 or /64, as "192.0.2.0/24": what one customer or one spammer usually has. */
  readonly network: string
}

/** A network that an address can lie in. */
export interface Network {
  readonly text: string
  /** True for a part of the Internet so large that nobody has it for his own. */
  readonly isVast: boolean
  contains(ip: Ip): boolean
}

/**
 * Reads an address as a socket or a client spells it; null when it is none. The same few are read over
 * and over: the client's, our own, those of a DNS answer.
 */
export const parseIp: (text: string) => Ip | null = remembered(2_000, readIp)

function readIp(text: string): Ip | null {
  // A zone ("fe80::1%eth0") says which wire an address is on, not which address it is.
  const bare = text.includes(':') ? text.replace(/%.*$/, '') : text
  if (!(isDottedQuad(bare) || (bare.includes(':') && ipaddr.IPv6.isValid(bare)))) return null
  const parsed = ipaddr.process(bare)
  const family = parsed.kind() === 'ipv4' ? 4 : 6
  return { text: spell(parsed), family, network: networkOf(parsed) }
}

/** Reads "192.0.2.0/24", "2001:db8::/32" or a single address; null when it is neither. */
export function parseNetwork(text: string): Network | null {
  const [base = '', length, ...rest] = text.split('/')
  const ip = parseIp(base)
  if (ip === null || rest.length > 0) return null
  const parsed = ipaddr.process(ip.text)
  const longest = ip.family === 4 ? 32 : 128
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return null
  const bits = length === undefined ? longest : Number(length)
  if (bits > longest) return null
  return {
    text,
    isVast: bits < (ip.family === 4 ? 8 : 7),
    contains: (other) => other.family === ip.family && parsedOf(other).match(parsed, bits),
  }
}

/** The /48 of an IPv6 address, as "2001:db8:1::/48"; null for IPv4, where no such thing is handed out. */
export function siteOf({ text, family }: Ip): string | null {
  if (family === 4) return null
  const { parts } = ipaddr.IPv6.parse(text)
  const first = parts.slice(0, 3).concat(0, 0, 0, 0, 0)
  return `${new ipaddr.IPv6(first).toRFC5952String()}/48`
}

/** True for addresses to which the whole world may belong behind a gateway (RFC 1918, loopback, link-local, ULA). */
export function isPrivate(ip: Ip): boolean {
  return privateRanges.includes(rangeOf(ip))
}

export function isLoopback(ip: Ip): boolean {
  return rangeOf(ip) === 'loopback'
}

const privateRanges: readonly string[] = [
  'private',
  'loopback',
  'linkLocal',
  'uniqueLocal',
  'unspecified',
  'carrierGradeNat',
]

const ranges = new WeakMap<Ip, string>()

function rangeOf(ip: Ip): string {
  const range = ranges.get(ip) ?? ipaddr.process(ip.text).range()
  ranges.set(ip, range)
  return range
}

/** Its 4 or 16 bytes. */
export function bytesOf(ip: Ip): Buffer {
  return Buffer.from(ipaddr.process(ip.text).toByteArray())
}

/** The labels of an address in reverse DNS, "1.2.0.192" or 32 nibbles, without the zone. */
export function reverseLabels(ip: Ip): string {
  if (ip.family === 4) return ip.text.split('.').reverse().join('.')
  const bytes = parsedOf(ip).toByteArray()
  const nibbles = bytes.flatMap((byte) => [byte >> 4, byte & 15])
  return nibbles
    .reverse()
    .map((nibble) => nibble.toString(16))
    .join('.')
}

/** The name whose PTR records belong to an address (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function arpaName(ip: Ip): string {
  return `${reverseLabels(ip)}.${ip.family === 4 ? 'in-addr.arpa' : 'ip6.arpa'}`
}

/** An address as SMTP writes it in brackets (RFC 5321 section 4.1.3). */
export function addressLiteral(ip: Ip): string {
  return ip.family === 4 ? `[${ip.text}]` : `[IPv6:${ip.text}]`
}

/** The address inside "[192.0.2.1]", "[IPv6:2001:db8::1]" (in any case) or "[2001:db8::1]"; else null. */
export function parseAddressLiteral(text: string): Ip | null {
  const inside = /^\[(?:ipv[46]:)?([^\]]+)\]$/i.exec(text)?.[1]
  return inside === undefined ? null : parseIp(inside)
}

type Parsed = ReturnType<typeof ipaddr.process>

/** A leading zero is octal to some and decimal to others, so "010.0.0.1" is nobody's address. */
function isDottedQuad(text: string): boolean {
  return /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text) && ipaddr.IPv4.isValid(text)
}

function spell(parsed: Parsed): string {
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()
}

function networkOf(parsed: Parsed): string {
  if (parsed instanceof ipaddr.IPv6) {
    const first = parsed.parts.slice(0, 4).concat(0, 0, 0, 0)
    return `${new ipaddr.IPv6(first).toRFC5952String()}/64`
  }
  const [a, b, c] = parsed.toByteArray()
  return `${a}.${b}.${c}.0/24`
}

/** A list asks about one address many times in a row, so the last one is kept parsed. */
function parsedOf(ip: Ip): Parsed {
  if (ip.text !== lastText) {
    lastText = ip.text
    lastParsed = ipaddr.process(ip.text)
  }
  return lastParsed
}

let lastText = '0.0.0.0'
let lastParsed: Parsed = ipaddr.process(lastText)
