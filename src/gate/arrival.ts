/** Who it is that has connected: as the socket says, or as a proxy in front of us says. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Client } from '../core/client.ts'
import { parseIp } from '../core/ip.ts'
import type { ProxyHeader } from './proxy-header.ts'

/** null when the client left before we could ask who it is. */
export function clientOf(socket: Socket): Client | null {
  const ip = parseIp(socket.remoteAddress ?? '')
  if (ip === null) return null
  return {
    id: randomBytes(8).toString('hex'),
    ip,
    port: socket.remotePort ?? 0,
    local: {
      address: parseIp(socket.localAddress ?? '')?.text ?? '0.0.0.0',
      port: socket.localPort ?? 0,
    },
  }
}

/** Nothing of the proxy is left but the id, unless it speaks for itself. */
export function clientBehind(peer: Client, { source, destination }: ProxyHeader): Client {
  if (source === null || destination === null) return peer
  const local = { address: destination.ip.text, port: destination.port }
  return { id: peer.id, ip: source.ip, port: source.port, local }
}
