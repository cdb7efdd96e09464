/** The catalogue, G8 to G13: clients that only cost, against a real Treacle with a real Postfix behind it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { connectAs } from '../helpers/proxied.ts'
import { type RunningProxy, type ScriptClient, settled, startProxy } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'
import { type Postfix, startPostfix } from '../mta/servers/postfix.ts'
import { waitUntil } from '../mta/servers/process.ts'
import { Talk } from '../mta/servers/talk.ts'
import { startTreacle, type Treacle } from '../mta/servers/treacle.ts'

describe('clients that only cost', { timeout: 240_000 }, () => {
  const stack = new AsyncDisposableStack()
  let backend: Postfix
  before(async () => {
    backend = stack.use(await startPostfix({ xclient: true }))
  })
  after(() => stack.disposeAsync())

  const start = (limits: string, files: Readonly<Record<string, string>> = {}) =>
    startTreacle({
      config: `
        listen.proxy_protocol_from = ["127.0.0.1"]
        backend.addresses = ["127.0.0.1:${backend.port}"]
        log.level = "debug"
        ${limits}`,
      files,
    })

  it('G8: 1,000 that never speak fill only so many places, are told so, and keep no friend out', async () => {
    const files = { friends: '198.51.100.0/24\n', dubious_helo: '', helo_accept_junk_hosts: '' }
    await using treacle = await start(
      `limits.connections_max = 300
       limits.reserved = 20
       limits.per_address_max = 2
       gate.known_good = "friends"
       greeting.pause = "20s"
       greeting.pause_suspect = "20s"`,
      files,
    )
    const memoryBefore = treacle.residentBytes
    const silent: Silent[] = []
    try {
      for (let index = 0; index < 1_000; index += 1) {
        // Three from each address, in networks of their own.
        const owner = Math.floor(index / 3)
        silent.push(await Silent.to(treacle, `192.${owner >> 8}.${owner & 255}.1`))
      }
      await waitUntil(async () => silent.filter(({ heard }) => heard !== '').length >= 720, {
        timeoutMs: 30_000,
        what: async () => '720 are sent away',
      })
      const sentAway = silent.filter(({ heard }) => heard !== '')
      assert.equal(sentAway.length, 720, 'all but the 280 whose places are nobody else’s')
      for (const { heard } of sentAway) assert.match(heard, /^421 4\.7\.0 Sorry, too many/)
      const perAddress = sentAway.filter(({ heard }) => / from 192\./.test(heard))
      assert.equal(perAddress.length, 139, 'the third of each address, while there were places')
      const memory = (treacle.residentBytes - memoryBefore) / 280
      assert.ok(memory < 100_000, `${memory} bytes for each that is held`)
      using friend = await Talk.to(treacle.address, '198.51.100.7')
      await friend.opens()
      assert.equal((await friend.gives('user@example.net')).code, 250)
      const told = await treacle.events('gate.turned-away')
      assert.equal(told.length, 1, 'said once a minute')
    } finally {
      for (const client of silent) client.leaves()
    }
  })

  it('G9: of 200 that would be held from one address 50 are, and none holds a place at the back end', async () => {
    await using treacle = await start('delay.target = ["60s", "60s"]')
    const connectsBefore = connects(await backend.log())
    const clients = await Promise.all(
      Array.from({ length: 200 }, () => Talk.to(treacle.address, '192.0.2.66')),
    )
    try {
      const greetings = await Promise.all(clients.map((client) => client.hears()))
      const inside = clients.filter((_, index) => greetings[index]?.code === 220)
      assert.equal(inside.length, 50)
      assert.equal(greetings.filter(({ code }) => code === 421).length, 150)
      await Promise.all(
        inside.map(async (client) => {
          await client.asks('EHLO printer')
          await client.asks('MAIL FROM:<a@client.example>')
          client.says('RCPT TO:<user@example.net>')
        }),
      )
      using honest = await Talk.to(treacle.address, '192.0.2.1')
      await honest.opens()
      assert.equal((await honest.gives('user@example.net')).code, 250)
      await honest.quits()
      assert.deepEqual(inside.map(({ unread }) => unread).join(''), '', 'they are all held')
      assert.equal(connects(await backend.log()) - connectsBefore, 1, 'the honest one')
    } finally {
      for (const client of clients) client.leaves()
    }
  })

  const unread = `limits.commands_max = 1000000
    limits.junk_commands_max = 1000000
    limits.per_address_max = 10`

  it('G10: one that takes replies byte by byte is gone when its time is over', async () => {
    await using treacle = await start(`${unread}\nlimits.connection_age_max = "3s"`)
    const socket = await flood(treacle, 1_000_000)
    const drip = setInterval(() => socket.read(1), 20)
    try {
      await gone(treacle)
    } finally {
      clearInterval(drip)
      socket.destroy()
    }
  })

  it('G11: one that reads no reply is read no more, and is gone when it has read nothing for long', async () => {
    await using treacle = await start(`${unread}\nlimits.idle_timeout = "3s"`)
    const memoryBefore = treacle.residentBytes
    const socket = await flood(treacle, 1_000_000)
    try {
      await waitUntil(async () => socket.writableLength > 1_000_000, {
        timeoutMs: 20_000,
        what: async () => 'what it says is not read any more',
      })
      const grown = treacle.residentBytes - memoryBefore
      assert.ok(grown < 60e6, `grown by ${grown} bytes for 30 MB of replies that nobody reads`)
      using other = await Talk.to(treacle.address, '192.0.2.1')
      assert.equal((await other.opens()).code, 250, 'others are served meanwhile')
      await other.quits()
      await gone(treacle, 2)
    } finally {
      socket.destroy()
    }
  })

  it('G11: with the limits as they are, 10,000 NOOPs end after 100', async () => {
    await using treacle = await start('')
    using client = await Talk.to(treacle.address, '192.0.2.66')
    await client.opens()
    client.says(Buffer.from('NOOP\r\n'.repeat(10_000)))
    for (let count = 0; count < 100; count += 1) assert.equal((await client.hears()).code, 250)
    assert.equal((await client.hears()).code, 421)
    await client.closed
  })

  it('G12: held clients hear 421 at shutdown, a message under way arrives, and nothing else does', async () => {
    const treacle = await start('delay.target = ["60s", "60s"]')
    const before = (await backend.messages('user')).length
    const held = await Promise.all(
      Array.from({ length: 20 }, (_, index) => Talk.to(treacle.address, `192.0.2.${index + 1}`)),
    )
    for (const client of held) {
      await client.opens('printer')
      await client.asks('MAIL FROM:<a@client.example>')
      client.says('RCPT TO:<user@example.net>')
    }
    using sending = await Talk.to(treacle.address, '198.51.100.1')
    await sending.opens()
    assert.equal((await sending.gives('user@example.net')).code, 250)
    assert.equal((await sending.asks('DATA')).code, 354)
    sending.says('Subject: on its way')
    const stopped = treacle.stop()
    for (const client of held) {
      const { code, text } = await client.hears()
      assert.equal(code, 421, text)
      // It has been hung up on, so there is nobody to say QUIT to.
      client.leaves()
    }
    assert.equal((await sending.asks('\r\nto the end\r\n.')).code, 250)
    assert.equal((await sending.hears()).code, 421)
    sending.leaves()
    assert.equal(await stopped, 0)
    const messages = await backend.waitForMessages('user', before + 1)
    assert.equal(messages.length, before + 1)
  })
})

describe('G13: the clock jumps while a client waits', () => {
  for (const hours of [1, -1]) {
    it(`by ${hours} h: the delay stays what it was`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address })
      const held = await proxy.connectFrom('192.0.2.66')
      await givesRecipient(held)
      await held.hearsNothing({ forMs: 40_000 })
      jump(proxy, hours)
      await held.hears('250 ', { afterMs: 50_000 })
      held.leaves()
      await settled()
      assert.equal(proxy.ledgers[0]?.entries.at(-1)?.waitedMs, 90_000)
    })

    it(`by ${hours} h: who was asked to come back still passes when it does`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({
        backend: backend.address,
        config: 'reasons.unqual-helo.action = "greylist"\n',
      })
      const comes = async (code: string) => {
        const client = await proxy.connectFrom('192.0.2.66')
        await givesRecipient(client)
        await client.hears(code)
        client.leaves()
      }
      await comes('450 4.7.1 ')
      jump(proxy, hours)
      await proxy.clock.advance(hours > 0 ? 61_000 : 3_661_000)
      await comes('250 ')
    })
  }
})

async function givesRecipient(client: ScriptClient): Promise<void> {
  await client.isGreeted('printer')
  client.says('MAIL FROM:<a@b.example>')
  await client.hears('250 ')
  client.says('RCPT TO:<u@example.net>')
}

function jump({ clock }: RunningProxy, hours: number): void {
  clock.setWall(new Date(clock.wall().getTime() + hours * 3_600_000))
}

/** Connects, and only listens. */
class Silent {
  readonly #socket: Socket
  heard = ''

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.heard += chunk.toString('latin1')
    })
    socket.on('error', () => {})
  }

  static async to({ address }: Treacle, ip: string): Promise<Silent> {
    return new Silent(await connectAs(address, ip))
  }

  leaves(): void {
    this.#socket.destroy()
  }
}

/** A client that is greeted, reads no more from then on, and says NOOP so many times. */
async function flood({ address }: Treacle, count: number): Promise<Socket> {
  const socket = await connectAs(address, '192.0.2.66')
  socket.on('error', () => {})
  await once(socket, 'readable')
  socket.read()
  socket.write('NOOP\r\n'.repeat(count))
  return socket
}

/** Settles when the client with the flood has a closed ledger. */
async function gone(treacle: Treacle, ledgerCount = 1): Promise<void> {
  const ledgers = await treacle.waitForLedgers(ledgerCount)
  assert.ok(ledgers.some(({ client }) => client === '192.0.2.66'))
}

function connects(log: string): number {
  return log.match(/ connect from /g)?.length ?? 0
}
