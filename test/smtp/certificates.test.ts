/** Our certificates: chosen by name, renewed by themselves, and never given up for wrong ones. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect, type SecureContext, TLSSocket } from 'node:tls'
import { ConfigError } from '../../src/core/errors.ts'
import { Log } from '../../src/observe/log.ts'
import { Certificates, type Pair } from '../../src/smtp/certificates.ts'
import { tlsOptions } from '../../src/smtp/options.ts'
import { selfSigned } from '../../src/smtp/self-signed.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const minute = 60_000

describe('Certificates', () => {
  it('shows each client the one for the name it asks for', async () => {
    await using at = await start({ '': 'mx.a.example', 'mx.b.example': 'B', '*.c.example': 'C' })
    const shown = [
      { asked: undefined, subject: 'mx.a.example', because: 'it names none' },
      { asked: 'mx.a.example', subject: 'mx.a.example', because: 'it is the first' },
      { asked: 'MX.B.Example', subject: 'B', because: 'in any case' },
      { asked: 'x.c.example', subject: 'C', because: 'it is below the domain' },
      { asked: 'y.x.c.example', subject: 'mx.a.example', because: 'it is two below' },
      { asked: 'c.example', subject: 'mx.a.example', because: 'it is not below' },
      { asked: '*.c.example', subject: 'C', because: 'whoever asks for that' },
      { asked: 'nobody.example', subject: 'mx.a.example', because: 'there is none' },
      { asked: '', subject: 'mx.a.example', because: 'H8: SNI is data' },
      { asked: 'mx.b.example\\', subject: 'mx.a.example', because: 'H8: SNI is data' },
      { asked: '../../etc/passwd', subject: 'mx.a.example', because: 'H8: SNI is data' },
      { asked: 'a'.repeat(70_000), subject: 'mx.a.example', because: 'H8: SNI is data' },
      { asked: '__proto__', subject: 'mx.a.example', because: 'an object has it' },
    ]
    for (const { asked, subject, because } of shown) {
      const seen = await subjectIn(at.certificates.contextFor(asked))
      assert.equal(seen, `CN=${subject}`, `${asked?.slice(0, 20)}: ${because}`)
    }
  })

  it('is used from the next handshake on when its files have changed, within a minute', async () => {
    await using at = await start({ '': 'old.example' })
    at.put('', await pair('new.example', at.clock))
    assert.equal(await at.shown(), 'CN=old.example')
    await at.clock.advance(minute)
    assert.equal(await at.shown(), 'CN=new.example')
    assert.equal(at.log.counts['tls.renewed'], 1)
    await at.clock.advance(10 * minute)
    assert.equal(at.log.counts['tls.renewed'], 1)
  })

  const wrongs = [
    {
      what: 'its key belongs to another',
      change: (one: Pair, other: Pair) => ({ ...one, key: other.key }),
    },
    { what: 'it is no PEM', change: (one: Pair) => ({ ...one, certificate: 'hello' }) },
    { what: 'it is half written', change: (one: Pair) => ({ ...one, key: one.key.slice(0, 60) }) },
    { what: 'it is empty', change: (one: Pair) => ({ ...one, certificate: '' }) },
  ]
  for (const { what, change } of wrongs) {
    it(`stays when the new one is wrong, which is told once: ${what}`, async () => {
      await using at = await start({ '': 'old.example' })
      const next = await pair('new.example', at.clock)
      at.put('', change(next, await pair('other.example', at.clock)))
      await at.clock.advance(5 * minute)
      assert.equal(await at.shown(), 'CN=old.example')
      assert.equal(at.log.counts['tls.rejected'], 1)
      assert.match(
        String(at.certificates.fault),
        /^tls\.certificate: .* no pair that can be used: [a-z ]+$/,
      )
      at.put('', next)
      await at.clock.advance(minute)
      assert.equal(await at.shown(), 'CN=new.example')
      assert.equal(at.certificates.fault, null)
    })
  }

  it('stays when its file is gone', async () => {
    await using at = await start({ '': 'old.example' })
    at.remove('')
    await at.clock.advance(5 * minute)
    assert.equal(await at.shown(), 'CN=old.example')
    assert.equal(at.log.counts['tls.rejected'], 1)
  })

  it('says which one is the first to expire, and that one has', async () => {
    await using at = await start({ '': 'long.example', 'b.example': 'short.example' })
    assert.equal(at.log.counts['tls.expired'], 0)
    const wall = at.clock.wall()
    at.clock.setWall(new Date(wall.getTime() - 20 * 365 * 86_400_000))
    at.put('b.example', await pair('short.example', at.clock))
    at.clock.setWall(wall)
    await at.clock.advance(minute)
    assert.equal(new X509Certificate(at.certificates.soonest ?? '').subject, 'CN=short.example')
    assert.equal(at.log.counts['tls.expired'], 1)
    assert.equal(await at.shown('b.example'), 'CN=short.example', 'most senders do not look')
  })

  it('draws new ticket keys twice a day: who comes back later makes a whole handshake', async () => {
    await using at = await start({ '': 'mx.example' })
    const { session } = await talk(at.certificates.contextFor())
    assert.equal((await talk(at.certificates.contextFor(), session)).reused, true)
    await at.clock.advance(12 * 60 * minute)
    assert.equal((await talk(at.certificates.contextFor(), session)).reused, false)
  })

  it('takes nothing before TLS 1.2', async () => {
    await using at = await start({ '': 'mx.example' })
    const context = at.certificates.contextFor()
    await assert.rejects(talk(context, undefined, 'TLSv1.1'), /protocol version|unsupported/i)
    assert.equal((await talk(context, undefined, 'TLSv1.2')).protocol, 'TLSv1.2')
    assert.equal((await talk(context)).protocol, 'TLSv1.3')
  })

  it('is made where there is none, if so wanted', async () => {
    const clock = new FakeClock()
    const log = new Log(clock, { level: 'silent', format: 'json' })
    const made = new Certificates(tlsOptions.parse({ self_signed: true }), null, clock, log)
    assert.equal(made.offered, true)
    await made.prepare('mx.example.org')
    const { subject, subjectAltName, validToDate } = new X509Certificate(made.soonest ?? '')
    assert.equal(subject, 'CN=mx.example.org')
    assert.equal(subjectAltName, 'DNS:mx.example.org')
    assert.ok(validToDate > clock.wall())
    assert.equal(await subjectIn(made.contextFor('whatever')), 'CN=mx.example.org')

    const none = new Certificates(tlsOptions.parse({}), null, clock, log)
    await none.prepare('mx.example.org')
    assert.deepEqual([none.offered, none.soonest, none.contextFor()], [false, null, undefined])
  })

  const settings = [
    { given: { certificate: '/nowhere/a.pem' }, key: 'tls.certificate' },
    { given: { key: '/nowhere/a.pem' }, key: 'tls.certificate' },
    { given: { sni: { a: { certificate: '/n', key: '/n' } } }, key: 'tls.certificate' },
    {
      given: { self_signed: true, sni: { a: { certificate: '/nowhere', key: '/n' } } },
      key: 'tls.sni."a".certificate',
    },
  ]
  for (const { given, key } of settings) {
    it(`is no reason to start with ${JSON.stringify(given)}`, () => {
      const clock = new FakeClock()
      const log = new Log(clock, { level: 'silent', format: 'json' })
      assert.throws(
        () => new Certificates(tlsOptions.parse(given), null, clock, log),
        (error: unknown) => error instanceof ConfigError && error.problems[0]?.key === key,
      )
    })
  }
})

/** Certificates in files, watched; by the name they are for, "" for the first. */
async function start(names: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'treacle-tls-'))
  const clock = new FakeClock()
  const log = new Log(clock, { level: 'silent', format: 'json' })
  const files = (name: string) => ({
    certificate: join(folder, `${name.replace('*', '_')}.crt`),
    key: join(folder, `${name.replace('*', '_')}.key`),
  })
  const put = (name: string, { certificate, key }: Pair) => {
    writeFileSync(files(name).certificate, certificate)
    writeFileSync(files(name).key, key)
  }
  for (const [name, subject] of Object.entries(names)) put(name, await pair(subject, clock))
  const others = Object.keys(names).filter((name) => name !== '')
  const sni = Object.fromEntries(others.map((name) => [name, files(name)]))
  const certificates = new Certificates(tlsOptions.parse({ ...files(''), sni }), null, clock, log)
  const watching = new AbortController()
  const watched = certificates.watch(watching.signal)
  return {
    certificates,
    clock,
    log,
    put,
    remove: (name: string) => rmSync(files(name).certificate),
    shown: (name?: string) => subjectIn(certificates.contextFor(name)),
    async [Symbol.asyncDispose]() {
      watching.abort()
      await watched
      assert.equal(clock.sleeping, 0)
      rmSync(folder, { recursive: true })
    },
  }
}

async function pair(subject: string, clock: FakeClock): Promise<Pair> {
  return await selfSigned(subject, clock)
}

async function subjectIn(context: SecureContext | undefined): Promise<string> {
  return (await talk(context)).subject
}

/** A handshake with a client of somebody else's making. */
async function talk(
  context: SecureContext | undefined,
  session?: Buffer,
  maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
) {
  assert.ok(context)
  const server = createServer((socket) => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext: context })
    secured.on('error', () => {})
    secured.once('secure', () => secured.end('bye'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const options = { port, host: '127.0.0.1', servername: 'x.example', rejectUnauthorized: false }
  const lowest = { minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const socket = connect({ ...options, ...lowest, maxVersion, ...(session && { session }) })
  let ticket = session ?? Buffer.alloc(0)
  socket.on('session', (next) => {
    ticket = next
  })
  try {
    await once(socket, 'secureConnect')
    const { subject } = socket.getPeerX509Certificate() ?? { subject: '' }
    const found = { subject, protocol: socket.getProtocol(), reused: socket.isSessionReused() }
    socket.resume()
    await once(socket, 'end')
    return { ...found, session: ticket }
  } finally {
    socket.destroy()
    server.close()
  }
}
