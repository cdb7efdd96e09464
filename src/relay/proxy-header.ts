/**
 * The PROXY header that tells a back end who the client is (HAProxy's text, 2.1 and 2.2).
 *
 * It is never negotiated: a back end either expects it as the first bytes or takes it for a very
 * strange client. Whether it has understood is seen from how it goes on; see backend.ts.
 */
import type { Socket } from 'node:net'
import { bytesOf, type Ip, parseIp } from '../core/ip.ts'

/** Both ends of a connection: who connected, and to where. */
export interface Ends {
  readonly ip: Ip
  readonly port: number
  readonly local: { readonly address: string; readonly port: number }
}

export type ProxyVersion = 'proxy-v1' | 'proxy-v2'

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
/** Version 2, command PROXY. */
const versionAndCommand = 0x21
/** TCP over IPv4 and over IPv6. */
const families = { 4: 0x11, 6: 0x21 } as const
const unspecified = { 4: '0.0.0.0', 6: '::' } as const

export function proxyHeader(version: ProxyVersion, { ip, port, local }: Ends): Buffer {
  const to = destinationFor(ip, local.address)
  if (version === 'proxy-v1') {
    return Buffer.from(`PROXY TCP${ip.family} ${ip.text} ${to.text} ${port} ${local.port}\r\n`)
  }
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(port, 0)
  ports.writeUInt16BE(local.port, 2)
  const block = Buffer.concat([bytesOf(ip), bytesOf(to), ports])
  const head = Buffer.from([versionAndCommand, families[ip.family], 0, block.length])
  return Buffer.concat([signature, head, block])
}

/** A header has one family; an address of the other one cannot be said. */
function destinationFor({ family }: Ip, address: string): Ip {
  const ip = parseIp(address)
  if (ip?.family === family) return ip
  const none = parseIp(unspecified[family])
  if (none === null) throw new TypeError('no address')
  return none
}

/** We ourselves, as the client of a connection of ours. */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends {
  const ip = parseIp(localAddress ?? '')
  if (ip === null) throw new TypeError('connected without an address')
  const local = { address: remoteAddress ?? '', port: remotePort ?? 0 }
  return { ip, port: localPort ?? 0, local }
}
