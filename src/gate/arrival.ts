/** Who it is that has connected: as the socket says, or as a proxy in front of us says. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Client, Whereabouts } from '../core/client.ts'
import { parseIp } from '../core/ip.ts'
import type { ProxyHeader } from './proxy-header.ts'

/** Drawn once: two processes that run one after the other do not name two connections alike. */
const ours = randomBytes(4).toString('hex')
let count = 0

/** 16 hex digits; no secret. */
function nextId(): string {
  count = (count + 1) % 2 ** 32
  return `${ours}${count.toString(16).padStart(8, '0')}`
}

/** null when the client left before we could ask who it is. */
export function clientOf(socket: Socket): Client | null {
  const ip = parseIp(socket.remoteAddress ?? '')
  if (ip === null) return null
  return {
    id: nextId(),
    ip,
    port: socket.remotePort ?? 0,
    local: {
      address: parseIp(socket.localAddress ?? '')?.text ?? '0.0.0.0',
      port: socket.localPort ?? 0,
    },
    introduced: false,
  }
}

/** Nothing of the proxy is left but the id, unless it speaks for itself. */
export function clientBehind(peer: Client, { source, destination }: ProxyHeader): Client {
  if (source === null || destination === null) return peer
  const local = { address: destination.ip.text, port: destination.port }
  return { id: peer.id, ip: source.ip, port: source.port, local, introduced: true }
}

/** Whom a peer speaks for, as a connection of his own. */
export function clientOfPeer({ ip, port, local }: Whereabouts): Client {
  return { id: nextId(), ip, port, local, introduced: true }
}
