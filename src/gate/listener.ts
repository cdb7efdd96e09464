/** Listening: on an address, or on a socket that somebody listens on for us already. */
import { createServer, type Server, type Socket } from 'node:net'
import { endpointOf } from '../core/endpoint.ts'
import type { Inherited } from './inherited.ts'
import type { ListenOptions } from './options.ts'

export type Place = { readonly tls: boolean } & (
  | { readonly host: string; readonly port: number; readonly reusePort: boolean }
  | { readonly fd: number }
)

export interface Listener {
  readonly server: Server
  /** As it came to be, with the port that was free for port 0. */
  readonly address: string
}

/** As many as Linux lets wait (net.core.somaxconn). Who finds it full comes again after a second. */
const backlog = 4_096

/** @param inherited Sockets that somebody listens on for us already; they go before the settings. */
export function placesOf(
  { addresses, tls_addresses, reuse_port: reusePort }: ListenOptions,
  inherited: readonly Inherited[],
): readonly Place[] {
  if (inherited.length > 0) return inherited
  return [
    ...addresses.map((address) => ({ ...endpointOf(address), reusePort, tls: false })),
    ...tls_addresses.map((address) => ({ ...endpointOf(address), reusePort, tls: true })),
  ]
}

/** What can be done about it, by what the operating system says. */
const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop who listens there (`ss -ltnp` names it), or choose another address',
  EADDRNOTAVAIL: 'choose an address that this host has (`ip address`), or 0.0.0.0 or [::] for all',
  EACCES: 'give it CAP_NET_BIND_SERVICE, as ports below 1024 need it, or choose another port',
}

/** @throws What the operating system says, such as EADDRINUSE or EACCES, and what to do. */
export async function listen(
  place: Place,
  onSocket: (socket: Socket) => void,
  onError: (error: Error) => void,
): Promise<Listener> {
  const server = createServer({ noDelay: true }, onSocket)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onFailure = (error: NodeJS.ErrnoException) => {
    // Still what the operating system threw, by which whoever starts us tells it from others. No setting is
    // to blame for a socket that was inherited.
    const remedy = remedies[error.code ?? '']
    if ('host' in place) {
      error.message = `listen.${place.tls ? 'tls_addresses' : 'addresses'}: ${error.message}`
      if (remedy !== undefined) error.message += `; ${remedy}`
    }
    reject(error)
  }
  server.once('error', onFailure)
  const where: object = { ...place, backlog }
  server.listen(where, resolve)
  await promise
  server.off('error', onFailure)
  server.on('error', onError)
  return { server, address: addressOf(server) }
}

function addressOf(server: Server): string {
  const bound = server.address()
  if (bound === null || typeof bound === 'string') return bound ?? ''
  const host = bound.address.includes(':') ? `[${bound.address}]` : bound.address
  return `${host}:${bound.port}`
}
