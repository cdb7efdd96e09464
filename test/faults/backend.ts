/**
 * The back end of the fault harness, a process of its own that can be killed: it stores the id of each
 * message in a file before it says 250, and stops at one step of the dialogue until it is told to go on.
 *
 * `node backend.ts HOST PORT FILE STEP EVERY HITS`: at every EVERY-th arrival at STEP, HITS times at the
 * most, it says "hit" and waits for SIGUSR2.
 */
import { appendFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'

const [host = '', port = '', file = '', wanted = '', every = '1', hitsMax = '0'] =
  process.argv.slice(2)
let arrivals = 0
let hits = 0
/** While one waits, others may arrive; each signal lets one go on. */
const waiting: (() => void)[] = []

async function reach(step: string): Promise<void> {
  if (step !== wanted || hits >= Number(hitsMax)) return
  arrivals += 1
  if (arrivals % Number(every) !== 0) return
  hits += 1
  const { promise: goes, resolve } = Promise.withResolvers<void>()
  waiting.push(resolve)
  process.stdout.write('hit\n')
  await goes
}

/** Lines and content, read no faster than they are asked for. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]()
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next()
    if (done === true) return false
    this.#rest = Buffer.concat([this.#rest, value])
    return true
  }

  /** null at the end of the connection. */
  async line(): Promise<string | null> {
    for (;;) {
      const end = this.#rest.indexOf('\r\n')
      if (end !== -1) {
        const line = this.#rest.toString('latin1', 0, end)
        this.#rest = this.#rest.subarray(end + 2)
        return line
      }
      if (!(await this.#more())) return null
    }
  }

  /** The id of the message; null when its end does not come. */
  async content(): Promise<string | null> {
    let id = ''
    let byteCount = 0
    let isBig = false
    for (;;) {
      id ||= /^X-Fault-Id: (\S+)\r$/m.exec(this.#rest.toString('latin1'))?.[1] ?? ''
      const end = this.#rest.indexOf('\r\n.\r\n')
      if (end !== -1) {
        this.#rest = this.#rest.subarray(end + 5)
        return id
      }
      const keep = id === '' ? this.#rest.length : Math.min(4, this.#rest.length)
      byteCount += this.#rest.length - keep
      this.#rest = this.#rest.subarray(this.#rest.length - keep)
      if (byteCount > 100_000 && !isBig) {
        isBig = true
        await reach('body')
      }
      if (!(await this.#more())) return null
    }
  }
}

const replies: Readonly<Record<string, string>> = {
  EHLO: '250-backend.example.net\r\n250 8BITMIME',
  QUIT: '221 2.0.0 Bye',
}

async function serve(socket: Socket): Promise<void> {
  const reader = new Reader(socket)
  const say = (text: string) => void socket.write(`${text}\r\n`)
  await reach('banner')
  say('220 backend.example.net ESMTP')
  for (;;) {
    const line = await reader.line()
    const verb = line?.split(' ')[0]?.toUpperCase()
    if (verb === undefined) return
    await reach(verb)
    if (verb !== 'DATA') say(replies[verb] ?? '250 2.0.0 Ok')
    else if (!(await takes(reader, say))) return
    if (verb === 'QUIT') socket.end()
  }
}

/** @returns Whether the message came to its end. */
async function takes(reader: Reader, say: (text: string) => void): Promise<boolean> {
  say('354 Go ahead')
  const id = await reader.content()
  if (id === null) return false
  await reach('dot')
  appendFileSync(file, `${id}\n`)
  await reach('stored')
  say('250 2.0.0 Stored')
  await reach('answered')
  return true
}

process.on('SIGUSR2', () => waiting.shift()?.())
createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {})
  serve(socket).catch(() => socket.destroy())
}).listen(Number(port), host, () => process.stdout.write('ready\n'))
