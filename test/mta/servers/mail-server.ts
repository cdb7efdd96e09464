/** What every real mail server of the tests can be asked, and how its Maildirs are read. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Daemon, waitUntil } from './process.ts'

export interface MailServer extends AsyncDisposable {
  /** Where it speaks SMTP, on 127.0.0.1. */
  readonly port: number
  readonly pid: number
  /** The process ids of the server and of everything it has forked, as of now. */
  pids(): readonly number[]
  /** Its log, also after it has stopped. */
  log(): Promise<string>
  /** What was delivered to a user (a local part), oldest first, as it is stored: lines end in LF. */
  messages(user: string): Promise<Buffer[]>
  /** The same, as soon as there are `count`. Throws, with the server's log, when there are not. */
  waitForMessages(user: string, count: number, options?: { timeoutMs?: number }): Promise<Buffer[]>
  /** Puts a message into its queue, as a local user would. Resolves when it is safely in there. */
  send(message: OutgoingMessage): Promise<void>
  /** Tries at once to deliver whatever waits in its queue. */
  flush(): Promise<void>
  /** Ends its processes and removes its folder. May be called again. */
  stop(): Promise<void>
}

/** One that only takes mail. */
export type BackEnd = Omit<MailServer, 'send' | 'flush'>

/** A server that runs and delivers into Maildirs below a folder. */
export function backEndOf(daemon: Daemon, port: number, folder: string): BackEnd {
  const maildirs = new Maildirs(folder, () => daemon.log())
  return {
    port,
    pid: daemon.pid,
    pids: () => daemon.pids(),
    log: () => daemon.log(),
    messages: (user) => maildirs.messages(user),
    waitForMessages: (user, count, limit) => maildirs.waitFor(user, count, limit),
    stop: () => daemon.stop(),
    [Symbol.asyncDispose]: () => daemon.stop(),
  }
}

/** A message on its way out. Lines of `data` may end in CRLF or LF. */
export interface OutgoingMessage {
  readonly from: string
  readonly to: string | readonly string[]
  readonly data: string | Buffer
}

/** What follows the first empty line of a message. */
export function bodyOf(message: Buffer): Buffer {
  const crlf = message.indexOf('\r\n\r\n')
  const lf = message.indexOf('\n\n')
  if (crlf !== -1 && (lf === -1 || crlf < lf)) return message.subarray(crlf + 4)
  return lf === -1 ? Buffer.alloc(0) : message.subarray(lf + 2)
}

/** Lines ending in LF, as local injection and Maildirs want them. */
export function withLf(data: string | Buffer): Buffer {
  const text = (typeof data === 'string' ? Buffer.from(data) : data).toString('latin1')
  return Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1')
}

export function recipients({ to }: OutgoingMessage): readonly string[] {
  return typeof to === 'string' ? [to] : to
}

/** One Maildir per user, all in one folder. */
export class Maildirs {
  readonly #folder: string
  readonly #log: () => Promise<string>

  /** @param log Told when mail does not come. */
  constructor(folder: string, log: () => Promise<string>) {
    this.#folder = folder
    this.#log = log
  }

  async messages(user: string): Promise<Buffer[]> {
    const folder = join(this.#folder, user, 'new')
    const names = await readdir(folder).catch(() => [])
    const files = names.map(async (name) => {
      const path = join(folder, name)
      return { at: (await stat(path, { bigint: true })).mtimeNs, data: await readFile(path) }
    })
    const found = await Promise.all(files)
    return found.sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ data }) => data)
  }

  async waitFor(user: string, count: number, { timeoutMs = 10_000 } = {}): Promise<Buffer[]> {
    let found: Buffer[] = []
    await waitUntil(
      async () => {
        found = await this.messages(user)
        return found.length >= count
      },
      {
        timeoutMs,
        what: async () =>
          `${count} messages for ${user}, got ${found.length}\n${await this.#log()}`,
      },
    )
    return found
  }
}
