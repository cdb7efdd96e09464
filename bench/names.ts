/**
 * names.ts [ADDRESS] [PORT]: a DNS server over UDP that knows one honest client, 127.0.0.1 named
 * mail.example.org, and answers every other question with NXDOMAIN, at once.
 */
import { createSocket } from 'node:dgram'

const [address = '127.0.0.99', port = '53'] = process.argv.slice(2)

/** Labels as they are written in a question and in an answer (RFC 1035 section 3.1). */
function labels(name: string): Buffer {
  const parts = name.split('.').map((label) => `${String.fromCharCode(label.length)}${label}`)
  return Buffer.from(`${parts.join('')}\0`, 'latin1')
}

const [a, ptr] = [1, 12]
const known = new Map([
  [`${a} ${labels('mail.example.org').toString('latin1')}`, Buffer.from([127, 0, 0, 1])],
  [`${ptr} ${labels('1.0.0.127.in-addr.arpa').toString('latin1')}`, labels('mail.example.org')],
])

const server = createSocket('udp4')
server.on('message', (query, from) => {
  if (query.length < 12) return
  const end = query.indexOf(0, 12) + 5 // one question: name, zero, type, class
  const type = query.readUInt16BE(end - 4)
  const record = known.get(`${type} ${query.toString('latin1', 12, end - 4).toLowerCase()}`)
  const head = Buffer.from(query.subarray(0, end))
  head[2] = 0x80 | ((head[2] ?? 0) & 0x01) // answer, recursion as asked
  head[3] = record === undefined ? 0x83 : 0x80 // recursion available; name error
  head.fill(0, 6, 12)
  if (record === undefined) return server.send(head, from.port, from.address)
  head[7] = 1
  const answer = Buffer.alloc(12)
  answer.writeUInt16BE(0xc00c, 0) // the name of the question
  answer.writeUInt16BE(type, 2)
  answer.writeUInt16BE(1, 4)
  answer.writeUInt32BE(300, 6)
  answer.writeUInt16BE(record.length, 10)
  server.send(Buffer.concat([head, answer, record]), from.port, from.address)
})
server.bind(Number(port), address, () => console.log('ready'))
