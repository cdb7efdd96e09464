/**
 * sink.ts: an SMTP server that takes everything and keeps nothing; the back end behind a proxy under test.
 *
 *   node sink.ts --listen 127.0.0.1:3501
 *
 *   --listen HOST:PORT   (127.0.0.1:3501)
 *   --delay-ms D         wait before each reply (0)
 *   --rate B             read message bytes no faster than this many bytes a second, each connection (0: no limit)
 *   --report             print a JSON line for each message: bytes on the wire, lines with a leading dot,
 *                        SHA-256 of the message with its dots unstuffed
 */
import { createHash, type Hash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { endpoint } from './lib/client.ts'

const { values: a } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:3501' },
    'delay-ms': { type: 'string', default: '0' },
    rate: { type: 'string', default: '0' },
    report: { type: 'boolean', default: false },
  },
})
const delay = Number(a['delay-ms'])
const rate = Number(a.rate)
const END = Buffer.from('\r\n.\r\n')
const CRLF = Buffer.from('\r\n')

class Receiver {
  private data = false
  private line = ''
  /** The last bytes of the message so far (at most 4), in which the end may have begun. */
  private tail: Buffer = CRLF
  private bytes = 0
  private hash: Hash | undefined
  private pending = ''
  private readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (d) => this.feed(d))
    socket.on('error', () => socket.destroy())
    this.say('220 sink.example.org ESMTP\r\n')
  }

  private say(text: string): void {
    if (delay) setTimeout(() => this.socket.writable && this.socket.write(text, 'latin1'), delay)
    else this.socket.write(text, 'latin1')
  }

  private feed(d: Buffer): void {
    while (d.length) d = this.data ? this.body(d) : this.command(d)
  }

  private command(d: Buffer): Buffer {
    const nl = d.indexOf(0x0a)
    if (nl === -1) {
      this.line += d.toString('latin1')
      return Buffer.alloc(0)
    }
    const line = this.line + d.toString('latin1', 0, nl + 1)
    this.line = ''
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO')
      this.say(
        '250-sink.example.org\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 104857600\r\n',
      )
    else if (verb === 'DATA') {
      this.data = true
      this.tail = CRLF
      this.bytes = 0
      this.pending = ''
      if (a.report) this.hash = createHash('sha256')
      this.say('354 go\r\n')
    } else if (verb === 'QUIT') {
      this.say('221 bye\r\n')
      if (!delay) this.socket.end()
    } else this.say('250 ok\r\n')
    return d.subarray(nl + 1)
  }

  private body(d: Buffer): Buffer {
    // the end may lie across the seam between what came before and this piece
    const joined = Buffer.concat([this.tail, d.subarray(0, 4)])
    const seam = joined.indexOf(END)
    let end = seam === -1 ? d.indexOf(END) : seam - this.tail.length
    end = end === -1 && seam === -1 ? -1 : end + END.length
    const piece = end === -1 ? d : d.subarray(0, end)
    this.bytes += piece.length
    this.hash && this.digest(piece)
    if (end === -1) {
      this.tail = Buffer.concat([this.tail, d.subarray(-4)]).subarray(-4)
      if (rate) this.slow(d.length)
      return Buffer.alloc(0)
    }
    this.data = false
    if (this.hash) {
      // what is pending is the final dot line, without its dot stuffed away
      console.log(
        JSON.stringify({ kind: 'message', bytes: this.bytes, sha256: this.hash.digest('hex') }),
      )
      this.hash = undefined
    }
    this.say('250 ok\r\n')
    return d.subarray(end)
  }

  /** Line by line, so only for tests of correctness. */
  private digest(piece: Buffer): void {
    const lines = (this.pending + piece.toString('latin1')).split('\r\n')
    this.pending = lines.pop() ?? ''
    for (const l of lines)
      if (l !== '.') this.hash?.update(`${l.startsWith('.') ? l.slice(1) : l}\r\n`, 'latin1')
  }

  private slow(n: number): void {
    this.socket.pause()
    setTimeout(() => this.socket.resume(), (n / rate) * 1000)
  }
}

const at = endpoint(a.listen)
createServer(
  { noDelay: true, highWaterMark: rate ? 16384 : 65536 },
  (s) => void new Receiver(s),
).listen(at.port, at.host, 4096, () => console.log('ready'))
