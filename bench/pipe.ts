/**
 * pipe.ts --listen HOST:PORT --to HOST:PORT [--tls]: bare Node sockets piped, the least that Node can cost. With
 * `--tls` the client comes under TLS.
 */
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { parseArgs } from 'node:util'
import { endpoint } from './lib/client.ts'

const { values } = parseArgs({
  options: {
    listen: { type: 'string' },
    to: { type: 'string' },
    tls: { type: 'boolean', default: false },
  },
})
/** As many as wait for Treacle (src/gate/listener.ts), so that a rush is the same for both. */
const backlog = 4_096
const at = endpoint(values.listen ?? '')
const to = endpoint(values.to ?? '')

function passOn(client: Socket): void {
  const server = connect({ ...to, noDelay: true })
  client.on('error', () => server.destroy())
  server.on('error', () => client.destroy())
  client.pipe(server).pipe(client)
}

const pem = (file: string) => readFileSync(join(import.meta.dirname, '../test/fixtures', file))
const server = values.tls
  ? createTlsServer(
      { cert: pem('mx.example.org.crt'), key: pem('mx.example.org.key'), noDelay: true },
      passOn,
    )
  : createServer({ noDelay: true }, passOn)
server.listen(at.port, at.host, backlog, () => console.log('ready'))
