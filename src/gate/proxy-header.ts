/**
 * The PROXY protocol: the first bytes of a connection, in which a proxy in front of us says for whom
 * it connects (HAProxy's proxy-protocol.txt, section 2.1 the line of version 1, 2.2 the binary block
 * of version 2).
 *
 * Who may write such a header decides who a client is, so nothing is guessed: what is not exactly a
 * header is none. Only the bytes are looked at here; reading them from a socket is proxy-reader.ts.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { type Ip, parseIp } from '../core/ip.ts'

export interface Endpoint {
  readonly ip: Ip
  readonly port: number
}

export interface ProxyHeader {
  readonly kind: 'header'
  /** In bytes. What follows is the client's. */
  readonly length: number
  /** Who connected to the proxy; null when the proxy speaks for itself, or cannot tell. */
  readonly source: Endpoint | null
  /** Where the client connected to; null when `source` is. */
  readonly destination: Endpoint | null
}

export interface BadProxyHeader {
  readonly kind: 'bad'
  readonly why: string
}

export type ProxyHeaderParse = { readonly kind: 'need-more' } | BadProxyHeader | ProxyHeader

const v1Start = Buffer.from('PROXY ')
/** Its CRLF included. */
const v1LengthMax = 107
const v2Start = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
const v2FixedLength = 16
/** What Postfix takes, too: the largest addresses (of unix sockets, 216 bytes) and some extensions. */
const v2LengthMax = 536

const needMore: ProxyHeaderParse = { kind: 'need-more' }

/** Reads the header that `bytes`, all that has come so far, begin with. */
export function parseProxyHeader(bytes: Buffer): ProxyHeaderParse {
  if (agrees(bytes, v1Start)) return parseV1(bytes)
  if (agrees(bytes, v2Start)) return parseV2(bytes)
  return bad('does not begin like a PROXY header')
}

/** True when the two say the same, as far as both go. */
function agrees(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.subarray(0, length).equals(start.subarray(0, length))
}

function parseV1(bytes: Buffer): ProxyHeaderParse {
  const text = bytes.subarray(0, v1LengthMax).toString('latin1')
  const lineEnd = /\r\n|\n|\r(?!$)/.exec(text)
  if (lineEnd === null) {
    return text.length < v1LengthMax ? needMore : bad(`longer than ${v1LengthMax} bytes`)
  }
  if (lineEnd[0] !== '\r\n') return bad('its line does not end in CRLF')
  const line = text.slice(0, lineEnd.index)
  const length = line.length + 2
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return header(length, null, null)
  const fields = /^PROXY TCP([46]) (\S+) (\S+) (\S+) (\S+)$/.exec(line)
  if (fields === null) return bad('not the line of a PROXY header')
  const [, family = '', from = '', to = '', fromPort = '', toPort = ''] = fields
  const source = endpointOf(family, from, fromPort)
  const destination = endpointOf(family, to, toPort)
  if (source === null || destination === null) return bad('a wrong address or port')
  return header(length, source, destination)
}

/** An address of the family that was announced, and a port without leading zeros. */
function endpointOf(family: string, address: string, portText: string): Endpoint | null {
  const valid = family === '4' ? isIPv4(address) : isIPv6(address) && !address.includes('%')
  const ip = valid ? parseIp(address) : null
  const port = /^(?:0|[1-9]\d{0,4})$/.test(portText) ? Number(portText) : Number.POSITIVE_INFINITY
  return ip === null || port > 65_535 ? null : { ip, port }
}

function parseV2(bytes: Buffer): ProxyHeaderParse {
  const [versionAndCommand, familyAndTransport] = bytes.subarray(v2Start.length)
  if (versionAndCommand === undefined) return needMore
  const isLocal = versionAndCommand === 0x20
  if (!isLocal && versionAndCommand !== 0x21) return bad('an unknown version or command')
  if (familyAndTransport === undefined) return needMore
  // With LOCAL the family says nothing; whatever it is must be borne.
  const addressLength = isLocal ? 0 : v2AddressLengths.get(familyAndTransport)
  if (addressLength === undefined) return bad('neither TCP over IPv4 nor TCP over IPv6')
  if (bytes.length < v2FixedLength) return needMore
  const length = v2FixedLength + bytes.readUInt16BE(14)
  if (length > v2LengthMax) return bad(`longer than ${v2LengthMax} bytes`)
  if (length < v2FixedLength + 2 * addressLength + 4 && addressLength > 0) {
    return bad('shorter than its addresses')
  }
  if (bytes.length < length) return needMore
  if (addressLength === 0) return header(length, null, null)
  const body = bytes.subarray(v2FixedLength)
  const ports = 2 * addressLength
  return header(
    length,
    { ip: ipOf(body.subarray(0, addressLength)), port: body.readUInt16BE(ports) },
    { ip: ipOf(body.subarray(addressLength, ports)), port: body.readUInt16BE(ports + 2) },
  )
}

/** How long one address is, by family and transport: nobody knows, TCP over IPv4, TCP over IPv6. */
const v2AddressLengths: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 4],
  [0x21, 16],
])

function ipOf(bytes: Buffer): Ip {
  const text =
    bytes.length === 4 ? bytes.join('.') : (bytes.toString('hex').match(/.{4}/g) ?? []).join(':')
  const ip = parseIp(text)
  if (ip === null) throw new Error(`${bytes.length} bytes are no address`)
  return ip
}

function header(
  length: number,
  source: Endpoint | null,
  destination: Endpoint | null,
): ProxyHeaderParse {
  return { kind: 'header', length, source, destination }
}

function bad(why: string): ProxyHeaderParse {
  return { kind: 'bad', why }
}
