/**
 * A TCP socket on a loopback port that we hold and never accept from: what systemd is to a service
 * with a socket unit. Whoever is given the descriptor listens on it; connections that come while
 * nobody does wait in it.
 *
 * node:net listens as soon as it binds and would take connections itself, so this asks what is
 * below it.
 */
import assert from 'node:assert/strict'

export interface BoundSocket extends Disposable {
  readonly fd: number
  readonly port: number
}

interface Handle {
  readonly fd: number
  bind(address: string, port: number): number
  getsockname(into: { port?: number }): number
  close(): void
}

interface TcpBinding {
  readonly TCP: new (kind: number) => Handle
  readonly constants: { readonly SERVER: number }
}

export function boundSocket(): BoundSocket {
  const binding: unknown = Reflect.get(process, 'binding')
  assert.ok(typeof binding === 'function')
  const { TCP, constants } = binding('tcp_wrap') as TcpBinding
  const handle = new TCP(constants.SERVER)
  assert.equal(handle.bind('127.0.0.1', 0), 0)
  const name: { port?: number } = {}
  handle.getsockname(name)
  return { fd: handle.fd, port: name.port ?? 0, [Symbol.dispose]: () => handle.close() }
}
