/** TLS from the first byte (RFC 8314), and what becomes of those who do not get through with it. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { selfSigned } from '../../src/smtp/self-signed.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { configOf, settled, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const tls = `
tls.self_signed = true
listen.tls_addresses = ["127.0.0.1:0"]
`

describe('TLS from the first byte', () => {
  it('is closed to everybody, and holds no place, once there is no certificate', async () => {
    await using backend = await startBackend()
    const setup = { backend: backend.address, config: tls }
    await using proxy = await startProxy(setup)
    await proxy.app.reload(configOf({ backend: backend.address }, proxy.folder))
    const client = await proxy.connectFrom('192.0.2.1', 40_000, proxy.tlsAddress)
    await client.isHungUpOn()
    await until(() => proxy.app.connectionCount === 0)
  })

  it('goes before the greeting, and everything is as usual', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${tls}greeting.pause = "3s"\ngreeting.pause_suspect = "3s"`,
    })
    const client = await proxy.connectFrom('192.0.2.1', 40_000, proxy.tlsAddress)
    const socket = await client.startsTls()
    assert.equal(socket.getPeerX509Certificate()?.subject, 'CN=mx.example.org')
    await client.hears('220 mx.example.org ESMTP', { afterMs: 3_000 })
    client.says('EHLO printer')
    assert.doesNotMatch(await client.hears('250-'), /STARTTLS/)
    client.says('STARTTLS')
    await client.hears('503 ')
    client.says('MAIL FROM:<a@b.example>')
    await client.hears('250 ')
    client.says('RCPT TO:<u@example.net>')
    await client.hears('250 ', { afterMs: 90_000 })
    client.says('DATA')
    await client.hears('354 ')
    client.says('hello\r\n.')
    await client.hears('250 ')
    client.leaves()
    const ledger = await proxy.ledger()
    assert.equal(ledger.client, '192.0.2.1')
    assert.equal(ledger.protocol, 'ESMTPS')
    assert.match(backend.messages[0]?.toString() ?? '', /with ESMTPS id/)
  })

  it('notices who talks before the greeting', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${tls}greeting.pause = "3s"`,
    })
    const client = await proxy.connectFrom('192.0.2.1', 40_000, proxy.tlsAddress)
    await client.startsTls()
    client.says('EHLO early.example')
    await client.hears('554 5.5.1 ')
    await client.isHungUpOn()
  })

  it('counts at the door for as long as the connection lasts', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${tls}limits.per_address_max = 1`,
    })
    const client = await proxy.connectFrom('192.0.2.1', 40_000, proxy.tlsAddress)
    await client.startsTls()
    await client.hears('220 ')
    const second = await proxy.connectFrom('192.0.2.1', 40_001, proxy.tlsAddress)
    await second.hears('421 4.7.0 ')
    client.says('QUIT')
    await client.hears('221 ')
    client.leaves()
    await until(() => proxy.app.connectionCount === 0)
    const third = await proxy.connectFrom('192.0.2.1', 40_002, proxy.tlsAddress)
    await third.startsTls()
    await third.hears('220 ')
    third.leaves()
  })

  it('closes for who does not get through with it, in time', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${tls}tls.handshake_timeout = "20s"`,
    })
    const silent = await proxy.connectFrom('192.0.2.1', 40_000, proxy.tlsAddress)
    const inTheClear = await proxy.connectFrom('192.0.2.2', 40_000, proxy.tlsAddress)
    inTheClear.says('EHLO mail.example.org')
    await inTheClear.isHungUpOn()
    const slow = await proxy.connectFrom('192.0.2.3', 40_000, proxy.tlsAddress)
    slow.says(Buffer.from('16030100ff0100', 'hex'))
    const gone = await proxy.connectFrom('192.0.2.4', 40_000, proxy.tlsAddress)
    gone.leaves()
    await settled()
    assert.equal(proxy.app.connectionCount, 2)
    await proxy.clock.advance(20_000)
    await silent.isHungUpOn()
    await slow.isHungUpOn()
    await until(() => proxy.app.connectionCount === 0)
    assert.equal(proxy.app.log.counts['tls.failed'], 3)
  })

  it('ends with a shutdown, even half begun', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config: tls })
    const silent = await proxy.connectFrom('192.0.2.1', 40_000, proxy.tlsAddress)
    const greeted = await proxy.connectFrom('192.0.2.2', 40_000, proxy.tlsAddress)
    await greeted.startsTls()
    await greeted.hears('220 ')
    void proxy.app.stop()
    await greeted.hears('421 4.3.2 ')
    await silent.isHungUpOn()
    greeted.leaves()
    await until(() => proxy.app.connectionCount === 0)
  })
})

describe('a reload', () => {
  it('keeps the certificates that are in use when the new ones are wrong', async () => {
    await using backend = await startBackend()
    const setup = (config: string) => ({ backend: backend.address, config })
    await using proxy = await startProxy(setup(tls))
    const wrong = configOf(
      setup('tls.certificate = "/nowhere/x.crt"\ntls.key = "/nowhere/x.key"'),
      proxy.folder,
    )
    await assert.rejects(proxy.app.reload(wrong), /tls\.certificate: .*ENOENT/)
    const noTls = configOf(setup('smtp.auth = "relay"'), proxy.folder)
    await assert.rejects(proxy.app.reload(noTls), /smtp\.auth: expected/)
    const without = configOf(setup('listen.tls_addresses = ["127.0.0.1:0"]'), proxy.folder)
    await assert.rejects(proxy.app.reload(without), /listen\.tls_addresses: expected/)
    const client = await proxy.connectFrom('192.0.2.1', 40_000, proxy.tlsAddress)
    await client.startsTls()
    await client.hears('220 ')
    client.leaves()
  })

  it('brings others for connections that come after it', async () => {
    await using backend = await startBackend()
    const setup = (config: string) => ({ backend: backend.address, config })
    await using proxy = await startProxy(setup(tls))
    const before = await proxy.connectFrom('192.0.2.1', 40_000, proxy.tlsAddress)
    const fixtures = join(import.meta.dirname, '../fixtures/mx.example.org')
    const own = `tls.certificate = "${fixtures}.crt"\ntls.key = "${fixtures}.key"\n`
    await proxy.app.reload(configOf(setup(`${tls}${own}`), proxy.folder))
    const after = await proxy.connectFrom('192.0.2.1', 40_001, proxy.tlsAddress)
    const fingerprints: (string | undefined)[] = []
    for (const client of [before, after]) {
      const socket = await client.startsTls()
      fingerprints.push(socket.getPeerX509Certificate()?.fingerprint256)
      await client.hears('220 ')
      client.leaves()
    }
    const [one, other] = fingerprints
    assert.notEqual(one, other)
    assert.equal(other, new X509Certificate(readFileSync(`${fixtures}.crt`)).fingerprint256)
  })
})

describe('certificates in files', () => {
  it('are shown by name, and renewed ones after a minute, to who comes then', async () => {
    await using backend = await startBackend()
    const clock = new FakeClock()
    const folder = mkdtempSync(join(tmpdir(), 'treacle-certificates-'))
    const put = async (name: string, subject: string) => {
      const { certificate, key } = await selfSigned(subject, clock)
      writeFileSync(join(folder, `${name}.crt`), certificate)
      writeFileSync(join(folder, `${name}.key`), key)
    }
    await put('first', 'mx.example.org')
    await put('other', 'mx.example.com')
    await using proxy = await startProxy({
      backend: backend.address,
      config: `
        tls.certificate = "${folder}/first.crt"
        tls.key = "${folder}/first.key"
        [tls.sni."mx.example.com"]
        certificate = "${folder}/other.crt"
        key = "${folder}/other.key"`,
    })
    const shown = async (servername?: string) => {
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      client.says('STARTTLS')
      await client.hears('220 ')
      const socket = await client.startsTls(servername === undefined ? {} : { servername })
      const { subject } = socket.getPeerX509Certificate() ?? {}
      client.leaves()
      return subject
    }
    assert.equal(await shown(), 'CN=mx.example.org')
    assert.equal(await shown('MX.example.com'), 'CN=mx.example.com')
    assert.equal(await shown('mx.example.net'), 'CN=mx.example.org')
    await put('first', 'new.example.org')
    writeFileSync(join(folder, 'other.key'), 'half a k')
    await proxy.clock.advance(60_000)
    assert.equal(await shown(), 'CN=new.example.org')
    assert.equal(await shown('mx.example.com'), 'CN=mx.example.com', 'the one before')
    assert.equal(proxy.app.log.counts['tls.rejected'], 1)
    await put('other', 'new.example.com')
    await proxy.clock.advance(60_000)
    assert.equal(await shown(), 'CN=new.example.org')
    assert.equal(await shown('mx.example.com'), 'CN=new.example.com')
    rmSync(folder, { recursive: true })
  })
})

for (const begins of ['with TLS', 'in the clear'] as const) {
  it(`takes content in many small records of TLS as fast as it comes, where it begins ${begins}`, async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config: tls })
    const at = begins === 'with TLS' ? proxy.tlsAddress : proxy.address
    const client = await proxy.connectFrom('192.0.2.1', 40_000, at)
    if (begins === 'in the clear') {
      await client.isGreeted()
      client.says('STARTTLS')
      await client.hears('220 ')
    }
    const secured = await client.startsTls()
    if (begins === 'with TLS') await client.hears('220 ')
    assert.ok(secured.setMaxSendFragment(512))
    for (const [line, heard] of [
      ['EHLO mail.example.org', '250-'],
      ['MAIL FROM:<a@example.org>', '250 '],
      ['RCPT TO:<u@example.net>', '250 '],
      ['DATA', '354 '],
    ] as const) {
      client.says(line)
      await client.hears(heard)
    }
    const line = 'x'.repeat(74)
    for (let count = 0; count < 5_000; count += 1) client.says(line)
    client.says('.')
    // By this clock no time goes by.
    await client.hears('250 ')
    assert.equal(backend.messages[0]?.toString().endsWith(`${line}\r\n`.repeat(5_000)), true)
    client.leaves()
  })
}
