/** nxdomain.ts [ADDRESS] [PORT]: answers every DNS question over UDP with NXDOMAIN, so peers that insist on look-ups get a quick no. */
import { createSocket } from 'node:dgram'

const [address = '127.0.0.99', port = '53'] = process.argv.slice(2)
const s = createSocket('udp4')
s.on('message', (q, from) => {
  if (q.length < 12) return
  const end = q.indexOf(0, 12) + 5 // one question: name, zero, type, class
  const a = Buffer.from(q.subarray(0, end))
  a[2] = 0x80 | ((a[2] ?? 0) & 0x01) // answer, recursion as asked
  a[3] = 0x83 // recursion available, name error
  a.fill(0, 6, 12)
  s.send(a, from.port, from.address)
}).bind(Number(port), address, () => console.log('ready'))
