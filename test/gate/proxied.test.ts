/** A proxy in front of the gate: whom it speaks for is who comes in, and whoever lies is out. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { Governor } from '../../src/delay/governor.ts'
import { Holder } from '../../src/delay/holder.ts'
import { Gate } from '../../src/gate/gate.ts'
import { makeGuard } from '../../src/gate/guard.ts'
import { makeGeneration } from '../../src/generation.ts'
import { Greylist } from '../../src/memory/greylist.ts'
import { Logins } from '../../src/memory/logins.ts'
import { Networks } from '../../src/memory/networks.ts'
import { Unheard } from '../../src/memory/unheard.ts'
import { Log } from '../../src/observe/log.ts'
import type { Session } from '../../src/session/session.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { fakeDns } from '../helpers/fake-dns.ts'
import { connectAs, connectTo, proxyV1, proxyV2, v2Body } from '../helpers/proxied.ts'

const greeted = '220 hello\r\n'
const v1 = proxyV1(['192.0.2.1', 40_000], ['192.0.2.25', 26])
const v2 = proxyV2({
  family: 0x11,
  body: v2Body([[192, 0, 2, 1], 40_000], [[192, 0, 2, 25], 26]),
})
const six = proxyV1(['2001:db8::1', 40_000], ['2001:db8::25', 26])

describe('a proxy that is listed', { timeout: 60_000 }, () => {
  const named = [
    { what: 'version 1', header: v1, client: '192.0.2.1:40000 at 192.0.2.25:26' },
    { what: 'version 2', header: v2, client: '192.0.2.1:40000 at 192.0.2.25:26' },
    { what: 'IPv6', header: six, client: '2001:db8::1:40000 at 2001:db8::25:26' },
  ]
  for (const { what, header, client } of named) {
    it(`says who the client is: ${what}`, async () => {
      await using door = await openDoor({ mode: 'observe' })
      const proxy = await door.connect(header)
      assert.equal(shown(await door.served()), client)
      assert.equal(await proxy.hears(greeted.length), greeted)
    })

    it(`may send its header in two parts, wherever it is cut: ${what}`, async () => {
      await using door = await openDoor({ mode: 'observe' })
      for (let cut = 1; cut < header.length; cut += 1) {
        const proxy = await door.connect(header.subarray(0, cut))
        await turns(20)
        proxy.socket.write(header.subarray(cut))
        assert.equal(shown(await door.served()), client)
      }
    })

    it(`may send its header byte by byte: ${what}`, async () => {
      await using door = await openDoor({ mode: 'observe' })
      const proxy = await door.connect(header.subarray(0, 1))
      for (const byte of header.subarray(1)) {
        await turns(5)
        proxy.socket.write(Buffer.from([byte]))
      }
      assert.equal(shown(await door.served()), client)
    })
  }

  const itself = [
    { what: 'LOCAL', header: proxyV2({ command: 0x20 }) },
    { what: 'UNSPEC', header: proxyV2({ family: 0 }) },
    { what: 'UNKNOWN', header: Buffer.from('PROXY UNKNOWN\r\n') },
  ]
  for (const { what, header } of itself) {
    it(`may speak for itself: ${what}`, async () => {
      await using door = await openDoor({ mode: 'observe' })
      const { socket } = await door.connect(header)
      const expected = `127.0.0.1:${socket.localPort} at 127.0.0.1:${socket.remotePort}`
      assert.equal(shown(await door.served()), expected)
    })
  }

  for (const { what, header } of named) {
    it(`leaves to the client what is the client's: ${what}`, async () => {
      await using door = await openDoor({ mode: 'observe' })
      await door.connect(Buffer.concat([header, Buffer.from('EHLO a\r\n')]))
      await door.served()
      await until(() => door.said === 'EHLO a\r\n', 'the rest arrives')
    })
  }

  it('passes on early talk in one segment with the header as early talk', async () => {
    await using door = await openDoor()
    const proxy = await door.connect(Buffer.concat([v1, Buffer.from('EHLO a\r\n')]))
    assert.match(await proxy.isHungUpOn(), /^554 5\.5\.1 /)
    assert.equal(await door.ledgerOf(), '192.0.2.1')
  })

  it('passes on a second header as early talk', async () => {
    await using door = await openDoor()
    const proxy = await door.connect(Buffer.concat([v1, six]))
    assert.match(await proxy.isHungUpOn(), /^554 5\.5\.1 /)
    assert.equal(await door.ledgerOf(), '192.0.2.1')
  })

  for (const ip of ['127.0.0.1', '10.0.0.1', '::1']) {
    it(`gets no trust for ${ip}, which waits like others (I12)`, async () => {
      await using door = await openDoor()
      await door.connectAs(ip)
      await until(() => door.clock.sleeping === 1 && door.reports.length === 0, 'it waits')
      await turns(50)
      await door.clock.advance(2_999)
      assert.equal(door.servedCount, 0)
      await door.clock.advance(1)
      assert.equal((await door.served()).client.ip.text, ip)
    })
  }

  const liars = [
    { what: 'I3: EHLO', says: 'EHLO a\r\n' },
    { what: 'I6: no address', says: 'PROXY TCP4 999.8.8.8 192.0.2.25 1 25\r\n' },
    { what: 'I7: a line too long', says: `PROXY UNKNOWN ${'*'.repeat(100)}\r\n` },
    { what: 'I8: LF only', says: 'PROXY TCP4 192.0.2.1 192.0.2.25 1 25\nEHLO a\r\n' },
    { what: 'I9: version 2 over UDP', says: proxyV2({ family: 0x12, body: Buffer.alloc(12) }) },
  ]
  for (const { what, says } of liars) {
    it(`is closed on without a reply: ${what}`, async () => {
      await using door = await openDoor()
      const proxy = await door.connect(Buffer.from(says))
      assert.equal(await proxy.isHungUpOn(), '')
      assert.equal(door.gate.connectionCount, 0)
      assert.equal(door.reports.length, 1)
      assert.match(door.reports.join(), /^127\.0\.0\.1: /)
      assert.deepEqual(door.ledgers, [])
    })
  }

  for (const begun of ['', 'PROXY TCP4 ']) {
    it(`has five seconds, and counts meanwhile: "${begun}" (I4)`, async () => {
      await using door = await openDoor()
      const proxy = await door.connect(Buffer.from(begun))
      await until(() => door.gate.connectionCount === 1, 'it counts')
      await turns(50)
      await door.clock.advance(4_999)
      assert.equal(door.gate.connectionCount, 1)
      await door.clock.advance(1)
      assert.equal(await proxy.isHungUpOn(), '')
      assert.equal(door.gate.connectionCount, 0)
      assert.deepEqual(door.reports, ['127.0.0.1: not there in time'])
    })

    it(`may leave before its header is complete: "${begun}"`, async () => {
      await using door = await openDoor()
      const proxy = await door.connect(Buffer.from(begun))
      proxy.socket.end()
      assert.equal(await proxy.isHungUpOn(), '')
      assert.deepEqual(door.reports, ['127.0.0.1: closed before its end'])
    })
  }

  it('may leave at once after its header, and nothing is left of it', async () => {
    await using door = await openDoor()
    const closed = await door.connect(v1)
    closed.socket.end()
    await closed.isHungUpOn()
    for (let count = 0; count < 20; count += 1) {
      const reset = await door.connect(v1)
      await turns(count)
      reset.socket.resetAndDestroy()
    }
    await until(() => door.gate.connectionCount === 0, 'all are gone')
  })

  it('takes a place of connections_max while its header is awaited', async () => {
    await using door = await openDoor({ mode: 'observe', connectionsMax: 1 })
    const silent = await door.connect(Buffer.alloc(0))
    await until(() => door.gate.connectionCount === 1, 'it counts')
    const second = await door.connect(v1)
    assert.match(await second.isHungUpOn(), /^421 4\.7\.0 .*too many connections/)
    silent.socket.write(v1)
    assert.equal((await door.served()).client.ip.text, '192.0.2.1')
  })

  it('is not itself the address that is counted', async () => {
    await using door = await openDoor({ mode: 'observe', perAddressMax: 1 })
    await door.connectAs('192.0.2.1')
    await door.served()
    await door.connectAs('192.0.2.2')
    await door.served()
    const again = await door.connectAs('192.0.2.1')
    assert.match(await again.isHungUpOn(), /^421 4\.7\.0 .*too many connections from 192\.0\.2\.1/)
  })

  it('hears that we shut down while its header is awaited', async () => {
    await using door = await openDoor()
    const proxy = await door.connect(Buffer.alloc(0))
    await until(() => door.gate.connectionCount === 1, 'it counts')
    door.gate.drain()
    assert.match(await proxy.isHungUpOn(), /^421 4\.3\.2 /)
    assert.deepEqual(door.reports, [])
  })
})

describe('anybody else', { timeout: 60_000 }, () => {
  for (const { what, header } of [
    { what: 'I1: version 1', header: v1 },
    { what: 'I9: version 2', header: v2 },
  ]) {
    it(`is never believed: ${what}`, async () => {
      await using door = await openDoor({ proxies: ['192.0.2.0/24', '::1'] })
      const client = await door.connect(header)
      assert.match(await client.isHungUpOn(), /^554 5\.5\.1 /)
      assert.equal(await door.ledgerOf(), '127.0.0.1')
      assert.deepEqual(door.reports, [])
    })
  }
})

it('listen.proxy_protocol_from takes addresses and networks, and nothing else', () => {
  const parse = (proxy: string) =>
    parseConfig(configSchema, `listen.proxy_protocol_from = ["${proxy}"]`, 'test.toml')
  for (const proxy of ['192.0.2.7', '192.0.2.0/24', '::1', '2001:db8::/32']) {
    assert.deepEqual(
      parse(proxy).listen.proxy_protocol_from.map(({ text }) => text),
      [proxy],
    )
  }
  for (const proxy of ['', 'proxy.example.org', '192.0.2.0/33', '*']) {
    assert.throws(() => parse(proxy), /proxy_protocol_from\[0\].*expected an address or a network/)
  }
  assert.deepEqual(parseConfig(configSchema, '', 'test.toml').listen.proxy_protocol_from, [])
})

interface DoorSetup {
  readonly proxies?: readonly string[]
  /** "observe" greets at once. */
  readonly mode?: 'enforce' | 'observe'
  readonly connectionsMax?: number
  readonly perAddressMax?: number
}

/** A gate on a port of its own that hands its clients to nobody in particular. */
async function openDoor(setup: DoorSetup = {}) {
  const { proxies = ['127.0.0.1'], mode = 'enforce' } = setup
  const { connectionsMax = 1_000, perAddressMax = 1_000 } = setup
  const folder = mkdtempSync(join(tmpdir(), 'treacle-gate-'))
  const text = `
mode = "${mode}"
listen.proxy_protocol_from = ${JSON.stringify(proxies)}
limits.connections_max = ${connectionsMax}
limits.per_address_max = ${perAddressMax}
limits.per_network_max = 1000
delay.key_file = "${folder}/delay.key"
log.level = "silent"`
  const config = parseConfig(configSchema, text, 'test.toml')
  const clock = new FakeClock()
  const log = new Log(clock, config.log)
  const reports: string[] = []
  const ledgers: string[] = []
  log.listen((_name, fields) => {
    if ('peer' in fields && 'why' in fields) {
      reports.push(`${fields.peer}: ${fields.why}`)
    }
    if ('ledger' in fields) ledgers.push(fields.ledger.client)
  })
  const holder = new Holder(clock, config.delay.slots, () => {})
  const { gateParts } = makeGeneration(config, {
    ...{ clock, log, holder, folder, dns: fakeDns() },
    networks: new Networks(clock, config.memory, () => {}),
    unheard: new Unheard(config.memory, clock, () => {}),
    greylist: new Greylist(clock, config.greylist),
    logins: new Logins(clock),
    guard: makeGuard(clock, log, true),
    governor: new Governor({ clock, log, holder, memory: { inUse: () => 0, collect: () => {} } }),
  })
  const sessions: Session[] = []
  const door = { said: '', servedCount: 0 }
  const serve = (socket: Socket, session: Session): void => {
    door.servedCount += 1
    sessions.push(session)
    socket.on('data', (chunk: Buffer) => {
      door.said += chunk.toString()
    })
    socket.write(greeted)
  }
  const gate = new Gate(clock, log, () => ({ ...gateParts, serve }))
  const address = await gate.listen({ host: '127.0.0.1', port: 0, reusePort: false, tls: false })

  return Object.assign(door, {
    clock,
    gate,
    reports,
    ledgers,
    async connect(says: Buffer): Promise<Peer> {
      const socket = await connectTo(address)
      if (says.length > 0) socket.write(says)
      return new Peer(socket)
    },
    async connectAs(ip: string): Promise<Peer> {
      return new Peer(await connectAs(address, ip))
    },
    /** The next client that was let in. */
    async served(): Promise<Session> {
      await until(() => sessions.length > 0, 'a client is let in')
      const session = sessions.shift()
      assert.ok(session)
      return session
    },
    /** The address in the one ledger. */
    async ledgerOf(): Promise<string> {
      await until(() => ledgers.length > 0, 'a ledger is closed')
      assert.equal(ledgers.length, 1)
      return ledgers.join()
    },
    async [Symbol.asyncDispose](): Promise<void> {
      gate.drain()
      gate.cutOff()
      await gate.emptied()
      await turns(5)
      rmSync(folder, { recursive: true, force: true })
      assert.equal(gate.connectionCount, 0, 'a connection is left')
      assert.equal(clock.sleeping, 0, 'a timer is left')
      assert.equal(log.counts['our-fault'], 0)
    },
  })
}

/** The other side of a connection to the door. */
class Peer {
  readonly socket: Socket
  #heard = ''
  #closed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
    })
  }

  async hears(length: number): Promise<string> {
    await until(() => this.#heard.length >= length, `${length} bytes are heard`)
    return this.#heard
  }

  /** @returns What it heard before. */
  async isHungUpOn(): Promise<string> {
    await until(() => this.#closed, 'the connection is closed')
    return this.#heard
  }
}

function shown({ client: { ip, port, local } }: Session): string {
  return `${ip.text}:${port} at ${local.address}:${local.port}`
}

/** Lets everything that can happen happen: loopback sockets need some turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 20_000 && !condition(); turn += 1) await turns(1)
  assert.ok(condition(), `did not happen: ${what}`)
}
