/**
 * A whole Treacle for a dialogue: real sockets, a clock that moves only when the test says so, DNS as
 * data, and a client that reads like a transcript.
 *
 * Disposing of it stops it and fails the test when a bug was caught on the way, when a timer or a
 * connection is left, or when a ledger was not closed exactly once.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { App } from '../../src/app.ts'
import { shippedFolder } from '../../src/config/files.ts'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import type { Ms } from '../../src/core/clock.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import type { Memory } from '../../src/core/memory.ts'
import type { EventFields, EventName } from '../../src/observe/events.ts'
import { FakeClock } from './fake-clock.ts'
import { type FakeRecords, fakeDns } from './fake-dns.ts'
import { connectAs } from './proxied.ts'
import { seedOnly } from './seed-only.ts'

export interface ProxySetup {
  /** Where the back end is. */
  readonly backend: string | readonly string[]
  /** Settings, as TOML, on top of those of every dialogue (see below). */
  readonly config?: string
  readonly dns?: Omit<FakeRecords, 'clock'>
  /** Files beside the config file, by name. */
  readonly files?: Readonly<Record<string, string>>
  /** Bugs that this test provokes. */
  readonly faultsExpected?: number
  readonly memory?: Memory
}

/** No greet pause and one delay for everybody: what a test is about stands in the test. */
const baseConfig = (backends: readonly string[], folder: string) => `
name = "mx.example.org"
listen.addresses = ["127.0.0.1:0"]
listen.proxy_protocol_from = ["127.0.0.0/8"]
backend.addresses = ${JSON.stringify(backends)}
delay.key_file = "${folder}/delay.key"
log.level = "silent"
`

/** Settings that tests usually want to choose are left to them, at these values unless they do. */
const usual: readonly (readonly [string, string])[] = [
  ...seedOnly,
  ['greeting.pause', '"0s"\ngreeting.pause_suspect = "0s"'],
  ['delay.target', '["90s", "90s"]'],
  ['backend.recipient_domains', '["example.net"]'],
  ['admin.listen', '""'],
  // Each client has a dialogue of its own with the back end; test/dialogue/reuse.test.ts is about others.
  ['backend.reuse', '0'],
  // Looking every second would make each wait of a dialogue many steps.
  ['limits.memory_max', '"0B"'],
]

export interface Heard {
  readonly name: EventName
  readonly fields: EventFields[EventName]
}

export class RunningProxy {
  readonly app: App
  readonly clock: FakeClock
  readonly address: string
  /** Where clients begin with TLS, if anywhere. */
  readonly tlsAddress: string
  readonly ledgers: Ledger[] = []
  readonly events: Heard[] = []
  readonly folder: string
  /** Timers that there are when nobody is connected. */
  readonly timersAtRest: number
  readonly #faultsExpected: number
  readonly #clients = new Set<ScriptClient>()

  constructor(
    app: App,
    clock: FakeClock,
    [address = '', tlsAddress = '']: readonly string[],
    folder: string,
    faults: number,
  ) {
    this.app = app
    this.clock = clock
    this.address = address
    this.tlsAddress = tlsAddress
    this.folder = folder
    this.#faultsExpected = faults
    this.timersAtRest = clock.sleeping
    app.log.listen((name, fields) => {
      this.events.push({ name, fields })
      if ('ledger' in fields) this.ledgers.push(fields.ledger)
    })
  }

  /** A client that has connected from this address, to where one begins in the clear or in TLS. */
  async connectFrom(ip: string, port = 40_000, to = this.address): Promise<ScriptClient> {
    const client = new ScriptClient(await connectAs(to, ip, port), this.clock)
    this.#clients.add(client)
    return client
  }

  /** The ledger of the one connection there was. */
  async ledger(): Promise<Ledger> {
    await settled()
    assert.equal(this.ledgers.length, 1, 'one connection, one ledger')
    const [ledger] = this.ledgers
    assert.ok(ledger)
    return ledger
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.leaves()
    await settled()
    const stopped = this.app.stop()
    await settled()
    // Were a connection left, it would be cut off now, and told below.
    const left = this.app.connectionCount
    await this.clock.advance(60_000)
    await stopped
    await settled()
    assert.equal(left, 0, 'a connection was left when all clients had gone')
    assert.equal(this.app.log.counts['our-fault'], this.#faultsExpected, faultsIn(this.events))
    assert.equal(this.app.connectionCount, 0, 'a connection is left')
    assert.equal(this.app.holder.heldCount, 0, 'a client is still held')
    assert.equal(this.clock.sleeping, 0, 'a timer is left')
    assert.equal(new Set(this.ledgers.map(({ id }) => id)).size, this.ledgers.length)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export async function startProxy(setup: ProxySetup): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'treacle-dialogue-'))
  const { writeFileSync } = await import('node:fs')
  for (const [name, text] of Object.entries(setup.files ?? {})) {
    writeFileSync(join(folder, name), text)
  }
  const clock = new FakeClock()
  const config = configOf(setup, folder)
  const app = new App({
    config,
    file: 'test.toml',
    folder: setup.files === undefined ? shippedFolder : folder,
    clock,
    dns: fakeDns({ ...setup.dns, clock }),
    ...(setup.memory && { memory: setup.memory }),
  })
  const addresses = await app.start()
  await settled()
  return new RunningProxy(app, clock, addresses, folder, setup.faultsExpected ?? 0)
}

/** The config of a dialogue test, which a test may want to read again with a change. */
export function configOf({ backend, config = '' }: ProxySetup, folder: string) {
  const backends = typeof backend === 'string' ? [backend] : backend
  const extra = usual
    .filter(([key]) => !config.includes(`${key} =`))
    .map(([key, value]) => `${key} = ${value}\n`)
  return parseConfig(
    configSchema,
    baseConfig(backends, folder) + extra.join('') + config,
    'test.toml',
  )
}

/** A client that says lines and expects lines. */
export class ScriptClient {
  socket: Socket
  readonly #clock: FakeClock
  #unread = ''
  #ended = false

  constructor(socket: Socket, clock: FakeClock) {
    this.socket = socket
    this.#clock = clock
    this.#listen(socket)
  }

  /** Goes on under TLS, after the 220 to STARTTLS or at once. */
  async startsTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.socket.removeAllListeners('data')
    const secure = connect({ socket: this.socket, rejectUnauthorized: false, ...options }, resolve)
    secure.on('error', reject)
    this.socket = secure
    this.#listen(secure)
    await promise
    return secure
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#unread += chunk.toString('latin1')
    })
    socket.on('end', () => {
      this.#ended = true
    })
    socket.on('error', () => {
      this.#ended = true
    })
  }

  /** Sends a line, or bytes as they are. */
  says(line: string | Buffer): void {
    this.socket.write(typeof line === 'string' ? `${line}\r\n` : line)
  }

  /** Hangs up. */
  leaves(): void {
    this.socket.destroy()
  }

  /**
   * The next reply, all its lines joined by "\n".
   *
   * @param expected How it begins, or what it matches.
   * @param afterMs When, from now, on the fake clock: not a moment before and not a moment after.
   */
  async hears(expected: string | RegExp, { afterMs = 0 }: { afterMs?: Ms } = {}): Promise<string> {
    const startedAt = this.#clock.now()
    const text = await this.hearsEventually(expected, { withinMs: afterMs })
    assert.equal(this.#clock.now() - startedAt, afterMs, `heard "${text}" at another time`)
    return text
  }

  /** The next reply, whenever it comes. */
  async hearsEventually(
    expected: string | RegExp,
    { withinMs = 300_000 }: { withinMs?: Ms } = {},
  ): Promise<string> {
    const startedAt = this.#clock.now()
    let heard = await this.#reply()
    while (heard === null) {
      const nextMs = this.#clock.nextDueMs
      const passedMs = this.#clock.now() - startedAt
      if (nextMs === null || this.#ended || passedMs + nextMs > withinMs) {
        assert.fail(`nothing heard in ${passedMs} ms; expected ${expected}`)
      }
      await this.#clock.advance(nextMs)
      heard = await this.#reply()
    }
    if (typeof expected === 'string') {
      assert.ok(heard.startsWith(expected), `heard ${heard}; expected ${expected}`)
    } else assert.match(heard, expected)
    return heard
  }

  /** Nothing comes for this long. */
  async hearsNothing({ forMs }: { forMs: Ms }): Promise<void> {
    await settled()
    await this.#clock.advance(forMs)
    await settled()
    assert.equal(this.#unread, '')
  }

  /** The connection is closed by the other side, with nothing more said. */
  async isHungUpOn(): Promise<void> {
    await until(() => this.#ended)
    assert.equal(this.#unread, '')
  }

  /** Goes through the usual opening: greeting and EHLO. */
  async isGreeted(helo = 'mail.example.org'): Promise<void> {
    await this.hears('220 mx.example.org ESMTP')
    this.says(`EHLO ${helo}`)
    await this.hears('250-mx.example.org')
  }

  async #reply(): Promise<string | null> {
    await settled()
    const matched = /^(?:\d{3}-[^\n]*\r\n)*\d{3}(?: [^\n]*)?\r\n/.exec(this.#unread)
    if (matched === null) return null
    this.#unread = this.#unread.slice(matched[0].length)
    return matched[0].trimEnd().replaceAll('\r\n', '\n')
  }
}

/** Lets everything that can happen happen: loopback sockets need some turns of the event loop. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 120; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Waits for something that is certain to come, within bounds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !condition(); turn += 1) await settled()
  assert.ok(condition(), `did not happen: ${condition}`)
}

function faultsIn(events: readonly Heard[]): string {
  return events
    .filter(({ name }) => name === 'our-fault')
    .map(({ fields }) => JSON.stringify(fields))
    .join('\n')
}
