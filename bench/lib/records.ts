/**
 * A client under TLS from its first byte that says how much goes into each record, and sends what it has
 * written in one go, as a kernel does for whoever writes faster than it sends.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'

export interface Secured {
  /** What is under TLS. */
  readonly wire: Socket
  /** What is said and heard within. */
  readonly socket: TLSSocket
  /** Sends this in records of so many bytes each. Settles when all of it is on its way. */
  writeRecords(content: Buffer, size: number): Promise<void>
}

export async function connectSecured(port: number): Promise<Secured> {
  const wire = connect({ port, host: '127.0.0.1', noDelay: true })
  let held: Buffer[] | null = null
  const between = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      if (held === null) wire.write(bytes)
      else held.push(bytes)
      done()
    },
  })
  wire.on('data', (bytes) => between.push(bytes))
  wire.on('close', () => between.push(null))
  const socket = tlsConnect({ socket: between, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const writeRecords = async (content: Buffer, size: number) => {
    held = []
    for (let at = 0; at < content.length; at += size) {
      // What is written before the last has gone shares a record with what follows it.
      await new Promise((done) => socket.write(content.subarray(at, at + size), done))
    }
    const all = Buffer.concat(held)
    held = null
    wire.write(all)
  }
  return { wire, socket, writeRecords }
}
