/** pipe.ts --listen HOST:PORT --to HOST:PORT: bare Node sockets piped, the least that Node can cost. */
import { connect, createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { endpoint } from './lib/client.ts'

const { values } = parseArgs({ options: { listen: { type: 'string' }, to: { type: 'string' } } })
const at = endpoint(values.listen ?? '')
const to = endpoint(values.to ?? '')
createServer({ noDelay: true }, (client) => {
  const server = connect({ ...to, noDelay: true })
  client.on('error', () => server.destroy())
  server.on('error', () => client.destroy())
  client.pipe(server).pipe(client)
}).listen(at.port, at.host, 4096, () => console.log('ready'))
