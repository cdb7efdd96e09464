/** Lets a test come from any address: it connects as a proxy would, with a PROXY header. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** An address as text, and a port. */
export type Place = readonly [ip: string, port: number]

/**
 * Connects to Treacle on behalf of a client. Treacle must list 127.0.0.1 in
 * `listen.proxy_protocol_from`.
 *
 * @param address Where Treacle listens, "address:port".
 */
export async function connectAs(address: string, ip: string, port = 40_000): Promise<Socket> {
  const socket = await connectTo(address)
  socket.write(proxyV1([ip, port], ip.includes(':') ? ['2001:db8::25', 25] : ['192.0.2.25', 25]))
  return socket
}

/** Connects to "address:port" as oneself. */
export async function connectTo(address: string): Promise<Socket> {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/)
  const socket = connect({ host, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** A header of version 1. */
export function proxyV1(source: Place, destination: Place): Buffer {
  const family = source[0].includes(':') ? 'TCP6' : 'TCP4'
  const fields = [family, source[0], destination[0], source[1], destination[1]]
  return Buffer.from(`PROXY ${fields.join(' ')}\r\n`)
}

export interface V2Parts {
  /** 0x21 is version 2, PROXY; 0x20 is LOCAL. */
  readonly command?: number
  /** 0x11 is TCP over IPv4, 0x21 TCP over IPv6, 0x00 unspecified. */
  readonly family?: number
  /** All that follows the length. */
  readonly body?: Buffer
  /** When it is not that of the body. */
  readonly length?: number
}

/** A header of version 2, right or wrong. */
export function proxyV2({
  command = 0x21,
  family = 0,
  body = Buffer.alloc(0),
  length = body.length,
}: V2Parts): Buffer {
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex')
  head.set([command, family, length >> 8, length & 255], 12)
  return Buffer.concat([head, body])
}

/** Addresses and ports as version 2 writes them; the addresses as bytes. */
export function v2Body(source: V2Place, destination: V2Place): Buffer {
  const ports = [source[1], destination[1]].flatMap((port) => [port >> 8, port & 255])
  return Buffer.from([...source[0], ...destination[0], ...ports])
}

export type V2Place = readonly [address: Iterable<number>, port: number]
