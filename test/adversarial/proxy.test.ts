/**
 * The catalogue, I1 to I12: who may say who the client is, against a real Treacle with a real Postfix.
 *
 * 127.0.0.2 is a proxy that is listed, 127.0.0.3 a host of our own, 127.0.0.1 is anybody. test/gate/proxy-header.test.ts has every
 * way to spell a header; here are those that have deceived somebody.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { proxyV1, proxyV2, v2Body } from '../helpers/proxied.ts'
import { type Postfix, startPostfix } from '../mta/servers/postfix.ts'
import { Talk } from '../mta/servers/talk.ts'
import { startTreacle, type Treacle } from '../mta/servers/treacle.ts'

const [listed, anybody, friend] = ['127.0.0.2', '127.0.0.1', '127.0.0.3']
const body4 = v2Body([[192, 0, 2, 77], 40_000], [[192, 0, 2, 25], 25])
const six = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77]
const body6 = v2Body([six, 40_000], [six, 25])
const v1 = proxyV1(['192.0.2.77', 40_000], ['192.0.2.25', 25])
const v2 = proxyV2({ family: 0x11, body: body4 })
/** An extension of type PP2_TYPE_NOOP, so long in all. */
const tlv = (length: number) =>
  Buffer.concat([Buffer.from([4, (length - 3) >> 8, (length - 3) & 255]), Buffer.alloc(length - 3)])

describe('who may say who the client is', { timeout: 120_000 }, () => {
  const stack = new AsyncDisposableStack()
  let backend: Postfix
  let treacle: Treacle
  before(async () => {
    backend = stack.use(
      await startPostfix({
        xclient: true,
        config: {
          mynetworks: '127.0.0.0/8, 10.0.0.0/8, [::1]/128, [fd00::]/8',
          smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
        },
      }),
    )
    treacle = stack.use(
      await startTreacle({
        config: `
          listen.proxy_protocol_from = ["${listed}"]
          backend.addresses = ["127.0.0.1:${backend.port}"]
          gate.known_good = "friends"
          greeting.pause = "200ms"
          greeting.pause_suspect = "200ms"`,
        files: { friends: `192.0.2.99\n${friend}\n10.0.0.0/8\n` },
      }),
    )
  })
  after(() => stack.disposeAsync())

  /** Connects from `from` and says this first. */
  async function comes(from: string, first: Buffer): Promise<Talk> {
    const socket = connect({ host: '127.0.0.1', port: treacle.port, localAddress: from })
    await once(socket, 'connect')
    const talk = new Talk(socket)
    if (first.length > 0) talk.says(first)
    return talk
  }

  const believed = [
    { id: 'I2', what: 'version 1', header: v1, is: '192.0.2.77' },
    {
      id: 'I2',
      what: 'version 1, IPv6',
      header: proxyV1(['2001:db8::77', 40_000], ['2001:db8::25', 25]),
      is: '2001:db8::77',
    },
    { id: 'I9', what: 'version 2', header: v2, is: '192.0.2.77' },
    {
      id: 'I9',
      what: 'version 2, IPv6',
      header: proxyV2({ family: 0x21, body: body6 }),
      is: '2001:db8::77',
    },
    {
      id: 'I9',
      what: 'version 2 with extensions, 536 bytes in all',
      header: proxyV2({ family: 0x11, body: Buffer.concat([body4, tlv(508)]) }),
      is: '192.0.2.77',
    },
    {
      id: 'I9',
      what: 'version 2, IPv4 within IPv6',
      header: proxyV2({
        family: 0x21,
        body: v2Body(
          [[...Array(10).fill(0), 255, 255, 192, 0, 2, 77], 1],
          [[...Array(10).fill(0), 255, 255, 192, 0, 2, 25], 25],
        ),
      }),
      is: '192.0.2.77',
    },
    { id: 'I9', what: 'LOCAL: the proxy itself', header: proxyV2({ command: 0x20 }), is: listed },
    {
      id: 'I9',
      what: 'LOCAL with an address that is to be ignored',
      header: proxyV2({ command: 0x20, family: 0x11, body: body4 }),
      is: listed,
    },
    {
      id: 'I7',
      what: 'UNKNOWN: the proxy itself',
      header: Buffer.from('PROXY UNKNOWN ffff::1 10.0.0.1 1 2\r\n'),
      is: listed,
    },
  ]
  for (const { id, what, header, is } of believed) {
    it(`${id}: ${what} is believed, in one piece and byte by byte`, async () => {
      using whole = await comes(listed, header)
      await whole.opens()
      assert.equal((await whole.gives('user@example.net')).code, 250)
      await whole.quits()
      const [ledger] = (await newLedgers(treacle, 1)).slice(-1)
      assert.equal(ledger?.client, is)

      const socket = connect({ host: '127.0.0.1', port: treacle.port, localAddress: listed })
      socket.setNoDelay(true)
      await once(socket, 'connect')
      using slow = new Talk(socket)
      for (const byte of header) {
        slow.says(Buffer.from([byte]))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await slow.opens()
      await slow.quits()
      assert.equal((await newLedgers(treacle, 1)).at(-1)?.client, is)
    })
  }

  const liars = [
    { id: 'I3', what: 'EHLO first', says: 'EHLO c.example.com\r\n' },
    { id: 'I3', what: 'small letters', says: 'proxy TCP4 192.0.2.77 192.0.2.25 1 25\r\n' },
    { id: 'I6', what: 'no address', says: 'PROXY TCP4 999.8.8.8 127.0.0.1 1 25\r\n' },
    { id: 'I6', what: 'IPv4 as TCP6', says: 'PROXY TCP6 1.2.3.4 1.2.3.4 1 25\r\n' },
    { id: 'I6', what: 'mixed families', says: 'PROXY TCP4 192.0.2.77 ::1 1 25\r\n' },
    { id: 'I6', what: 'port 02501', says: 'PROXY TCP4 192.0.2.77 192.0.2.25 02501 25\r\n' },
    { id: 'I6', what: 'port 65536', says: 'PROXY TCP4 192.0.2.77 192.0.2.25 65536 25\r\n' },
    { id: 'I6', what: 'two spaces', says: 'PROXY  TCP4 192.0.2.77 192.0.2.25 1 25\r\n' },
    { id: 'I6', what: 'octal', says: 'PROXY TCP4 0300.0.2.77 192.0.2.25 1 25\r\n' },
    { id: 'I6', what: 'a word more', says: 'PROXY TCP4 192.0.2.77 192.0.2.25 1 25 26\r\n' },
    { id: 'I6', what: 'a name', says: 'PROXY TCP4 localhost 192.0.2.25 1 25\r\n' },
    { id: 'I7', what: 'over 107 bytes', says: `PROXY UNKNOWN ${'*'.repeat(100)}\r\n` },
    { id: 'I7', what: 'no end', says: 'PROXY TCP4 '.repeat(100) },
    { id: 'I8', what: 'LF only', says: 'PROXY TCP4 192.0.2.77 192.0.2.25 1 25\nEHLO a\r\n' },
    { id: 'I8', what: 'CR only', says: 'PROXY TCP4 192.0.2.77 192.0.2.25 1 25\rEHLO a\r\n' },
    { id: 'I9', what: 'UDP', says: proxyV2({ family: 0x12, body: body4 }) },
    { id: 'I9', what: 'a unix socket', says: proxyV2({ family: 0x31, body: Buffer.alloc(216) }) },
    { id: 'I9', what: 'version 3', says: proxyV2({ command: 0x31, family: 0x11, body: body4 }) },
    { id: 'I9', what: 'no command', says: proxyV2({ command: 0x2f, family: 0x11, body: body4 }) },
    { id: 'I9', what: 'too short', says: proxyV2({ family: 0x11, body: body4, length: 4 }) },
    {
      id: 'I9',
      what: '537 bytes',
      says: proxyV2({ family: 0x11, body: Buffer.concat([body4, tlv(509)]) }),
    },
    { id: 'I9', what: 'LOCAL of 65535 bytes', says: proxyV2({ command: 0x20, length: 65_535 }) },
    { id: 'I9', what: 'TLS', says: Buffer.from('160301020001', 'hex') },
  ]
  for (const { id, what, says } of liars) {
    it(`${id}: a listed proxy that says something else is closed on without a word: ${what}`, async () => {
      using proxy = await comes(listed, Buffer.from(says))
      await proxy.closed
      assert.equal(proxy.unread, '')
    })
  }

  for (const { what, header } of [
    { what: 'version 1', header: v1 },
    { what: 'version 2', header: v2 },
    {
      what: 'with the address of a friend',
      header: proxyV1(['192.0.2.99', 1], ['192.0.2.25', 25]),
    },
  ]) {
    it(`I1: nobody else is believed: ${what}`, async () => {
      using client = await comes(anybody, header)
      assert.match((await client.hears()).text, /^554 5\.5\.1 /)
      await client.closed
      assert.equal((await newLedgers(treacle, 1)).at(-1)?.client, anybody)
    })
  }

  for (const { id, what, header } of [
    { id: 'I10', what: 'EHLO in the segment of the header', header: 'EHLO c.example.com\r\n' },
    { id: 'I11', what: 'a second header', header: v1 },
    { id: 'I11', what: 'a second header, of version 2', header: v2 },
  ]) {
    it(`${id}: what follows the header is the client's, and too early: ${what}`, async () => {
      using client = await comes(listed, Buffer.concat([v1, Buffer.from(header)]))
      assert.match((await client.hears()).text, /^554 5\.5\.1 /)
      await client.closed
      assert.equal((await newLedgers(treacle, 1)).at(-1)?.client, '192.0.2.77')
    })
  }

  for (const ip of [
    '127.0.0.1',
    '127.0.0.2',
    friend,
    '10.0.0.1',
    '::1',
    'fd00::1',
    '::ffff:127.0.0.1',
  ]) {
    it(`I12: ${ip} wins nothing: it waits, is screened, and may not relay`, async () => {
      const local = ip.includes(':') ? '2001:db8::25' : '192.0.2.25'
      using client = await comes(listed, proxyV1([ip, 40_000], [local, 25]))
      assert.ok((await client.hears()).tookMs >= 150, 'it waits for the greeting')
      assert.equal((await client.asks('EHLO printer')).code, 250)
      const answer = await client.gives('victim@elsewhere.example')
      assert.match(answer.text, /^554 5\.7\.1 .*Relay access denied/)
      assert.ok(answer.tookMs >= 900, `it waits at RCPT: ${answer.tookMs} ms`)
      await client.quits()
      const [ledger] = (await newLedgers(treacle, 1)).slice(-1)
      assert.equal(ledger?.client, ip.replace('::ffff:', ''))
    })
  }

  it('I12: what a proxy may not say of a host of our own, its own socket may', async () => {
    using client = await comes(friend, Buffer.alloc(0))
    await client.opens('printer')
    assert.equal((await client.gives('someone@elsewhere.example')).code, 250)
    await client.quits()
    assert.match(await backend.log(), /client=\S*\[127\.0\.0\.3\]/)
  })

  it('after all of that, mail still comes through', async () => {
    using client = await comes(listed, v1)
    await client.opens()
    assert.equal((await client.gives('user@example.net')).code, 250)
    assert.equal((await client.sends('Subject: hello\n\nhello\n')).code, 250)
    await client.quits()
    assert.match((await backend.waitForMessages('user', 1)).join(), /unknown \[192\.0\.2\.77\]/)
  })
})

describe('I4: a listed proxy that says nothing', { timeout: 60_000 }, () => {
  it('is counted, and closed on after five seconds', async () => {
    await using backend = await startPostfix({ xclient: true })
    await using treacle = await startTreacle({
      config: `
        listen.proxy_protocol_from = ["127.0.0.1"]
        backend.addresses = ["127.0.0.1:${backend.port}"]
        limits.connections_max = 2`,
    })
    const startedAt = performance.now()
    using silent = await Talk.to(treacle.address)
    using begun = await Talk.to(treacle.address)
    begun.says(Buffer.from('PROXY TCP4 '))
    using third = await Talk.to(treacle.address, '192.0.2.1')
    assert.match((await third.hears()).text, /^421 4\.7\.0 Sorry, too many connections/)
    await Promise.all([silent.closed, begun.closed])
    const tookMs = performance.now() - startedAt
    assert.ok(tookMs > 4_500, `they had their time, not ${tookMs} ms`)
    assert.equal(silent.unread + begun.unread, '')
    using fourth = await Talk.to(treacle.address, '192.0.2.1')
    await fourth.opens()
  })
})

/** All ledgers, once there are so many more than at the last call. */
async function newLedgers(treacle: Treacle, more: number) {
  const count = (seen.get(treacle) ?? 0) + more
  const ledgers = await treacle.waitForLedgers(count)
  seen.set(treacle, ledgers.length)
  return ledgers
}

const seen = new WeakMap<Treacle, number>()
