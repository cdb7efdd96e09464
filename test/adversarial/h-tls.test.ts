/** The catalogue, H: TLS, and what is said before and around it. H7 and H10 are in relay/tls.test.ts. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/core/clock.ts'
import { selfSigned } from '../../src/smtp/self-signed.ts'
import { connectTo, proxyV1 } from '../helpers/proxied.ts'
import { settled, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const config = `
tls.self_signed = true
tls.handshake_timeout = "20s"
smtp.auth = "relay"
`
const login = Buffer.from('\0mallory\0guess').toString('base64')

describe('TLS', () => {
  const injected = [
    { id: 'H1', bytes: 'MAIL FROM:<evil@b.example>\r\n' },
    { id: 'H1', bytes: 'MAIL FROM:<evil@b.example>\r\nRCPT TO:<u@example.net>\r\nDATA\r\n' },
    { id: 'H1', bytes: 'MAIL FROM:<evil@b.ex' },
    { id: 'H2', bytes: 'EHLO evil.example\r\n' },
    { id: 'H2', bytes: 'EHLO evil.example\r\nMAIL FROM:<evil@b.example>\r\n' },
    { id: 'H2', bytes: `EHLO evil.example\r\nAUTH PLAIN ${login}\r\n` },
    { id: 'H2', bytes: 'NOOP\r\n'.repeat(1_000) },
    { id: 'H2', bytes: 'RSET\r\nQUIT\r\n' },
  ]
  for (const { id, bytes } of injected) {
    it(`${id}: nothing is heard of ${JSON.stringify(bytes.slice(0, 40))} in the clear after STARTTLS`, async () => {
      await using backend = await startBackend({ ehlo: ['AUTH PLAIN'] })
      await using proxy = await startProxy({ backend: backend.address, config })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      client.says(Buffer.from(`STARTTLS\r\n${bytes}`))
      await client.hears('220 ')
      await settled()
      await client.startsTls()
      await client.hearsNothing({ forMs: 1_000 })
      client.says('MAIL FROM:<a@b.example>')
      await client.hears('503 ')
      client.says('EHLO mail.example.org')
      await client.hears('250-')
      client.says('RCPT TO:<u@example.net>')
      await client.hears('503 ')
      client.leaves()
      const ledger = await proxy.ledger()
      assert.deepEqual([ledger.helo, ledger.login], ['mail.example.org', ''])
      assert.equal(proxy.app.log.counts['login.failed'], 0)
    })
  }

  it('H5: STARTTLS is not offered twice, and refused', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says('STARTTLS now')
    await client.hears('501 ')
    client.says('STARTTLS')
    await client.hears('220 ')
    await client.startsTls()
    client.says('STARTTLS')
    await client.hears('503 ')
    client.says('EHLO mail.example.org')
    assert.doesNotMatch(await client.hears('250-'), /STARTTLS/)
    client.says('STARTTLS')
    await client.hears('503 ')
    client.leaves()
  })

  const instead = [
    { what: 'nothing', bytes: Buffer.alloc(0), closedAfterMs: 20_000 },
    { what: 'half a record', bytes: Buffer.from('16030100ff0100', 'hex'), closedAfterMs: 20_000 },
    { what: 'SMTP', bytes: Buffer.from('EHLO mail.example.org\r\n'), closedAfterMs: 0 },
    { what: 'zeros', bytes: Buffer.alloc(4_096), closedAfterMs: 0 },
    { what: 'noise', bytes: Buffer.from('fe'.repeat(1_000), 'hex'), closedAfterMs: 0 },
  ]
  for (const { what, bytes, closedAfterMs } of instead) {
    it(`H6: STARTTLS and then ${what}: closed after ${closedAfterMs} ms`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address, config })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      client.says('STARTTLS')
      await client.hears('220 ')
      client.says(bytes)
      if (closedAfterMs > 0) await client.hearsNothing({ forMs: closedAfterMs - 1 })
      if (closedAfterMs > 0) assert.equal(proxy.app.connectionCount, 1)
      await proxy.clock.advance(1)
      await until(() => client.socket.destroyed || client.socket.readableEnded)
      await until(() => proxy.app.connectionCount === 0)
      const told = proxy.events.find(({ name }) => name === 'tls.failed')
      assert.match(JSON.stringify(told?.fields), /"why":"[a-z ]+"/)
    })
  }

  it('H8: a certificate of the client is not looked at', async () => {
    const { certificate: cert, key } = await selfSigned('mail.example.org', systemClock)
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says('STARTTLS')
    await client.hears('220 ')
    await client.startsTls({ cert, key })
    client.says('EHLO mail.example.org')
    await client.hears('250-')
    client.leaves()
  })

  for (const servername of ['mx.example.org\\', '..\\..\\x', '../../etc/passwd', 'a'.repeat(255)]) {
    it(`H8: the name ${servername.slice(0, 20)} is data`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address, config })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      client.says('STARTTLS')
      await client.hears('220 ')
      const socket = await client.startsTls({ servername })
      assert.equal(socket.getPeerX509Certificate()?.subject, 'CN=mx.example.org')
      client.leaves()
    })
  }

  it('H8: the handshake begins well with a message made by hand', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says('STARTTLS')
    await client.hears('220 ')
    client.socket.removeAllListeners('data')
    const answered = once(client.socket, 'data')
    client.says(clientHello('mx.example.org'))
    const [answer] = await answered
    assert.deepEqual([...answer.subarray(0, 3)], [0x16, 3, 3], 'a ServerHello')
    client.leaves()
  })

  for (const name of ['a'.repeat(300), '\0', 'mx.example.org\0.evil.example']) {
    it(`H8: the name ${JSON.stringify(name.slice(0, 20))} of ${name.length} bytes ends the handshake, and no more`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address, config })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      client.says('STARTTLS')
      await client.hears('220 ')
      client.says(clientHello(name))
      await until(() => client.socket.destroyed || client.socket.readableEnded)
      await until(() => proxy.app.connectionCount === 0)
      const next = await proxy.connectFrom('192.0.2.1')
      await next.isGreeted()
      next.leaves()
    })
  }

  it('begins behind a PROXY header that came in one piece with it', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}\nlisten.tls_addresses = ["127.0.0.1:0"]`,
    })
    const socket = await connectTo(proxy.tlsAddress)
    const answered = once(socket, 'data')
    const header = proxyV1(['192.0.2.1', 4_000], ['192.0.2.25', 465])
    socket.write(Buffer.concat([header, clientHello('mx.example.org')]))
    const [answer] = await answered
    assert.deepEqual([...answer.subarray(0, 3)], [0x16, 3, 3], 'a ServerHello')
    socket.destroy()
    await until(() => proxy.app.connectionCount === 0)
    assert.equal((await proxy.ledger()).client, '192.0.2.1')
  })

  it('H9: reasons of the name said in the clear are gone, those of the address and of the greeting stay', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}
        greeting.pause = "3s"
        greeting.pause_suspect = "3s"
        greeting.early_talk = "delay"
        reasons.botnet-nordns.action = "delay"`,
    })
    const client = await proxy.connectFrom('192.0.2.1')
    client.says('EHLO printer')
    await client.hears('220 ', { afterMs: 3_000 })
    await client.hears('250-')
    client.says('STARTTLS')
    await client.hears('220 ')
    await client.startsTls()
    client.says('EHLO mail.example.org')
    await client.hears('250-')
    client.says('MAIL FROM:<a@b.example>')
    await client.hears('250 ')
    client.says('RCPT TO:<u@example.net>')
    await client.hears('250 ', { afterMs: 90_000 })
    client.leaves()
    const ledger = await proxy.ledger()
    const names = ledger.findings.map(({ reason }) => reason)
    assert.deepEqual(names.toSorted(), ['botnet-nordns', 'early-talker'])
  })

  it('H9: the name said under TLS is judged, whatever was said in the clear', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says('STARTTLS')
    await client.hears('220 ')
    await client.startsTls()
    client.says('EHLO printer')
    await client.hears('250-')
    client.says('MAIL FROM:<a@b.example>')
    await client.hears('250 ')
    client.says('RCPT TO:<u@example.net>')
    await client.hears('250 ', { afterMs: 90_000 })
    client.leaves()
    const names = (await proxy.ledger()).findings.map(({ reason }) => reason)
    assert.deepEqual(names, ['unqual-helo'])
  })
})

/** The first message of a handshake (RFC 8446 section 4.1.2), which asks for this name as it is. */
function clientHello(name: string): Buffer {
  const u16 = (value: number) => Buffer.from([value >> 8, value & 255])
  const block = (...parts: Buffer[]) => {
    const body = Buffer.concat(parts)
    return Buffer.concat([u16(body.length), body])
  }
  const extension = (type: number, ...parts: Buffer[]) =>
    Buffer.concat([u16(type), block(Buffer.concat(parts))])
  const extensions = block(
    extension(0, block(Buffer.from([0]), block(Buffer.from(name, 'latin1')))),
    extension(10, block(u16(0x001d))),
    extension(13, block(u16(0x0403), u16(0x0804))),
    extension(43, Buffer.from([2, 3, 4])),
    extension(51, block(u16(0x001d), block(randomBytes(32)))),
  )
  const body = Buffer.concat([
    u16(0x0303),
    randomBytes(32),
    Buffer.from([0]),
    block(u16(0x1301), u16(0x1302)),
    Buffer.from([1, 0]),
    extensions,
  ])
  const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body])
  return Buffer.concat([Buffer.from([0x16, 3, 1]), block(message)])
}
