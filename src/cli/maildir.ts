/**
 * A back end for trying Treacle out: a small SMTP server on loopback that puts each message into a
 * Maildir. It is no mail server: it takes mail for everybody and sends none.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { DataScan } from '../smtp/data-scan.ts'

export interface MaildirServer {
  /** "127.0.0.1:port". */
  readonly address: string
  close(): void
}

/**
 * @param folder The Maildir; made when it is not there.
 * @param onMessage Hears the path of each message that has landed.
 */
export async function startMaildir(
  folder: string,
  onMessage: (path: string) => void,
): Promise<MaildirServer> {
  for (const part of ['tmp', 'new', 'cur']) await mkdir(join(folder, part), { recursive: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    new Dialogue(socket, async (content) => onMessage(await deliver(folder, content))).start()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  return {
    address: addressOf(server),
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

class Dialogue {
  readonly #socket: Socket
  readonly #deliver: (content: Buffer) => Promise<void>
  #unread: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  #scan: DataScan | null = null
  #content: Buffer[] = []

  constructor(socket: Socket, deliver: (content: Buffer) => Promise<void>) {
    this.#socket = socket
    this.#deliver = deliver
  }

  start(): void {
    this.#say('220 demo.localhost ESMTP the built-in back end')
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  #read(chunk: Buffer): void {
    if (this.#scan !== null) return this.#readContent(this.#scan, chunk)
    this.#unread = Buffer.concat([this.#unread, chunk])
    for (let end = this.#unread.indexOf('\r\n'); end !== -1; end = this.#unread.indexOf('\r\n')) {
      const line = this.#unread.subarray(0, end).toString()
      this.#unread = this.#unread.subarray(end + 2)
      this.#obey(line)
    }
  }

  #obey(line: string): void {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO')
      this.#say('250-demo.localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 50000000')
    else if (verb === 'DATA') {
      this.#scan = new DataScan()
      this.#say('354 Go ahead')
    } else if (verb === 'QUIT') this.#socket.end('221 Bye\r\n')
    else if (['HELO', 'MAIL', 'RCPT', 'RSET', 'NOOP'].includes(verb)) this.#say('250 2.0.0 Ok')
    else this.#say('502 5.5.1 The built-in back end cannot do that')
  }

  #readContent(scan: DataScan, chunk: Buffer): void {
    const { content, rest } = scan.push(chunk)
    this.#content.push(...content)
    if (rest === null) return
    const message = Buffer.concat(this.#content)
    this.#scan = null
    this.#content = []
    this.#deliver(message).then(
      () => this.#say('250 2.0.0 Ok: in the Maildir'),
      (error: Error) => this.#say(`451 4.3.0 ${error.message}`),
    )
  }

  #say(text: string): void {
    this.#socket.write(`${text}\r\n`)
  }
}

/** Writes a message to tmp/ and moves it to new/, as the Maildir format has it. */
async function deliver(folder: string, stuffed: Buffer): Promise<string> {
  const content = stuffed.toString('latin1').replace(/^\.\./gm, '.')
  const name = `${randomBytes(8).toString('hex')}.treacle`
  const path = join(folder, 'new', name)
  await writeFile(join(folder, 'tmp', name), content, 'latin1')
  await rename(join(folder, 'tmp', name), path)
  return path
}

function addressOf(server: Server): string {
  const address = server.address()
  return address === null || typeof address === 'string' ? '' : `127.0.0.1:${address.port}`
}
