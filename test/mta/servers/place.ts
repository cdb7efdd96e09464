/**
 * Where a server of a test may live: a port and a private folder.
 *
 * A port is free when we look and may be taken when the server binds it, by a neighbour test for
 * example. Hence `onFreePort`, which looks again. What the server says is not asked: Postfix tells
 * syslog only.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ATTEMPTS_MAX = 5

/** A loopback port that nobody uses at the moment, neither for TCP nor for UDP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    if (await isFree(port)) return port
  }
}

/** Starts something on a free port, and again on another one if somebody was faster. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    try {
      return await start(port)
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || (await isFree(port))) throw error
    }
  }
}

/** Starts something in a new private folder, which goes again if it does not start. */
export async function inFolder<T>(name: string, start: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), `treacle-${name}-`))
  try {
    // Servers that give up root must be able to walk through it.
    await chmod(folder, 0o755)
    return await start(folder)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function isFree(port: number): Promise<boolean> {
  const tcp = createServer()
  const udp = createSocket('udp4')
  try {
    await once(tcp.listen(port, '127.0.0.1'), 'listening')
    udp.bind(port, '127.0.0.1')
    await once(udp, 'listening')
    return true
  } catch {
    return false
  } finally {
    if (tcp.listening) await promisify(tcp.close).call(tcp)
    udp.close()
  }
}
