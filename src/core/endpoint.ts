/** Where something listens, as it stands in the config file: "192.0.2.1:25", "[2001:db8::1]:25", "mx.example.org:25". */
import { z } from 'zod'
import { parseIp } from './ip.ts'

export interface Endpoint {
  /** An address without brackets, or a host name. */
  readonly host: string
  readonly port: number
}

const form = /^(?:\[([^[\]\s]+)\]|([^:[\]\s]+)):(\d{1,5})$/
const portMax = 65_535

/** @returns null when it is none. A host of digits and dots is an address or nothing. */
export function parseEndpoint(text: string): Endpoint | null {
  const [, bracketed, bare, digits] = form.exec(text) ?? []
  const host = bracketed ?? bare ?? ''
  const port = Number(digits)
  const isNumeric = bracketed !== undefined || /^[\d.]+$/.test(host)
  const fits = host !== '' && port <= portMax && (!isNumeric || isSpelt(host, bracketed))
  return fits ? { host, port } : null
}

function isSpelt(host: string, bracketed: string | undefined): boolean {
  return parseIp(host) !== null && host.includes(':') === (bracketed !== undefined)
}

/** @param text That has been checked. @throws TypeError when it has not. */
export function endpointOf(text: string): Endpoint {
  const parsed = parseEndpoint(text)
  if (parsed === null) throw new TypeError(`not checked: ${text}`)
  return parsed
}

/** A setting: an address of ours, port 0 for whichever is free. */
export function ownEndpoint() {
  return z
    .string()
    .refine(
      isAddressed,
      'expected "address:port" or "[IPv6]:port": no name, and a port up to 65535',
    )
}

/** True for an address and a port. */
export function isAddressed(text: string): boolean {
  const parsed = parseEndpoint(text)
  return parsed !== null && parseIp(parsed.host) !== null
}

/** A setting: where somebody else listens. */
export function theirEndpoint() {
  return z
    .string()
    .refine(
      (text) => (parseEndpoint(text)?.port ?? 0) > 0,
      'expected "host:port", the port from 1 to 65535',
    )
}
