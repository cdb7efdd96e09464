/** The catalogue, J1 to J4: AUTH where there is none, AUTH that is none, and guessing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { connect } from 'node:tls'
import { type RunningProxy, type ScriptClient, startProxy, until } from '../helpers/proxy.ts'
import { type BackendScript, startBackend } from '../helpers/scripted-backend.ts'
import { Talk } from '../mta/servers/talk.ts'
import { startTreacle } from '../mta/servers/treacle.ts'

const config = `
tls.self_signed = true
smtp.auth = "relay"
`
const plain = (user: string, password: string) =>
  `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`

/** Knows alice, whose password is "right". */
const knowsAlice: BackendScript = {
  ehlo: ['AUTH PLAIN LOGIN', 'XCLIENT ADDR'],
  replies: (line) => {
    if (!line.startsWith('AUTH')) return undefined
    return line === plain('alice', 'right') ? '235 2.7.0 welcome' : '535 5.7.8 I think not'
  },
}

async function underTls(proxy: RunningProxy, ip = '192.0.2.1'): Promise<ScriptClient> {
  const client = await proxy.connectFrom(ip)
  await client.isGreeted()
  client.says('STARTTLS')
  await client.hears('220 ')
  await client.startsTls()
  client.says('EHLO printer')
  await client.hears('250-')
  return client
}

describe('AUTH', () => {
  for (const said of ['AUTH LOGIN', 'AUTH PLAIN', plain('a', 'b'), 'AUTH', 'AUTH CRAM-MD5']) {
    it(`J1: ${said} is answered 502 where it is not offered`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      client.says(said)
      await client.hears('502 5.5.1 ')
      client.leaves()
      assert.equal(backend.connections, 1, 'the back end has heard of nothing but our probe')
    })
  }

  it('is refused in the clear, and what it said is asked of nobody', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says(plain('alice', 'right'))
    await client.hears('538 5.7.11 ')
    client.says('AUTH LOGIN')
    await client.hears('538 ')
    client.leaves()
    assert.ok(!backend.transcript.some((line) => line.startsWith('AUTH')))
  })

  const malformed = [
    { says: ['AUTH PLAIN not-base64!'], heard: /^501 / },
    { says: ['AUTH PLAIN AGFsaWNl*AHJpZ2h0'], heard: /^501 / },
    { says: ['AUTH PLAIN =AAA'], heard: /^501 / },
    { says: ['AUTH LOGIN', '\x00\x01'], heard: /^501 / },
    { says: ['AUTH LOGIN', '*'], heard: /^501 / },
    { says: ['AUTH LOGIN', 'YWxpY2U=', 'MAIL FROM:<a@b.example>'], heard: /^501 / },
    { says: [`AUTH PLAIN ${'A'.repeat(8_000)}`], heard: /^501 / },
    { says: ['AUTH NTLM'], heard: /^504 / },
  ]
  it('J2: what is no base64 is answered 501, and the session goes on', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await underTls(proxy)
    for (const { says, heard } of malformed) {
      for (const line of says.slice(0, -1)) {
        client.says(line)
        await client.hears('334')
      }
      client.says(says.at(-1) ?? '')
      assert.match(await client.hears(/^\d/), heard, says.join(' / ').slice(0, 60))
    }
    client.says('NOOP')
    await client.hears('250 ')
    client.says(plain('alice', 'right'))
    await client.hears('235 ')
    client.leaves()
  })

  const tooLong = 'QUJD'.repeat(5_000)
  for (const { asked, says } of [
    { asked: [], says: `AUTH PLAIN ${tooLong}` },
    { asked: [], says: `auth login ${tooLong}` },
    { asked: [], says: `AUTH XOAUTH2 ${tooLong}` },
    { asked: ['AUTH PLAIN'], says: tooLong },
    { asked: ['AUTH LOGIN'], says: tooLong },
    { asked: ['AUTH LOGIN', 'YWxpY2U='], says: tooLong },
    { asked: ['AUTH LOGIN YWxpY2U='], says: tooLong },
  ]) {
    const shown = [...asked, `${says.slice(0, 15)}...`].join(' / ')
    it(`J2: 20 kB as ${shown} are answered 501, and the session goes on`, async () => {
      await using backend = await startBackend(knowsAlice)
      await using proxy = await startProxy({ backend: backend.address, config })
      const client = await underTls(proxy)
      for (const line of asked) {
        client.says(line)
        await client.hears('334')
      }
      client.says(`${says}\r\nNOOP`)
      await client.hears('501 5.5.2 Line too long')
      await client.hears('250 ')
      client.says(plain('alice', 'right'))
      await client.hears('235 ')
      client.leaves()
      const logins = backend.transcript.filter((line) => line.startsWith('AUTH'))
      assert.deepEqual(logins, [plain('alice', 'right')])
    })
  }

  it('J2: 20 kB in the clear, or where AUTH is not offered, are no different', async () => {
    await using backend = await startBackend(knowsAlice)
    for (const world of [{}, { config }]) {
      await using proxy = await startProxy({ backend: backend.address, ...world })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      client.says(`AUTH PLAIN ${tooLong}`)
      await client.hears('501 5.5.2 ')
      client.says('NOOP')
      await client.hears('250 ')
      client.leaves()
    }
  })

  it('J2: is answered when the line has ended, which it must in time', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}limits.idle_timeout = "1m"`,
    })
    const client = await underTls(proxy)
    client.says(Buffer.from(`AUTH PLAIN ${tooLong}`))
    for (let count = 0; count < 5; count += 1) {
      await client.hearsNothing({ forMs: 10_000 })
      client.says(Buffer.from('A'))
    }
    await client.hears('421 4.4.2 ', { afterMs: 10_000 })
    await client.isHungUpOn()
    client.leaves()
  })

  it('J2: what is no end of it is an end of the session', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    for (const asked of [[], ['AUTH PLAIN']]) {
      const client = await underTls(proxy)
      for (const line of asked) {
        client.says(line)
        await client.hears('334')
      }
      client.says(Buffer.from(`AUTH PLAIN ${'A'.repeat(80_000)}`))
      await client.hears('421 4.5.2 Line too long')
      await client.isHungUpOn()
      client.leaves()
    }
    await until(() => proxy.app.connectionCount === 0)
    assert.equal(proxy.app.log.counts['client.cut-off'], 2)
  })

  it('J2: is an error like any other, and there may be twenty', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await underTls(proxy)
    for (let count = 0; count < 20; count += 1) {
      client.says(`AUTH PLAIN ${tooLong}`)
      await client.hears('501 5.5.2 ')
    }
    await client.hears('421 4.7.0 Too many errors')
    await client.isHungUpOn()
    client.leaves()
  })

  it('J2: other lines of 20 kB end the session as ever, also after AUTH', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    for (const says of [`AUTHX ${tooLong}`, `NOOP AUTH ${tooLong}`, tooLong]) {
      const client = await underTls(proxy)
      client.says('AUTH PLAIN')
      await client.hears('334')
      client.says('*')
      await client.hears('501 ')
      client.says(says)
      await client.hears('421 4.5.2 ')
      await client.isHungUpOn()
      client.leaves()
    }
  })

  it('J4: who guesses waits ever longer, and after five is sent away', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await underTls(proxy)
    for (const afterMs of [0, 1_000, 2_000, 4_000, 8_000]) {
      client.says(plain('alice', `guess ${afterMs}`))
      await client.hears('535 5.7.8 I think not', { afterMs })
    }
    client.says(plain('alice', 'right'))
    await client.hears('421 4.7.0 Too many failed logins')
    await client.isHungUpOn()
    client.leaves()
    await until(() => proxy.app.connectionCount === 0)
    assert.equal(proxy.app.log.counts['login.failed'], 5)
    assert.equal(proxy.app.log.counts['login.refused'], 1)
    const ledger = await proxy.ledger()
    assert.deepEqual(
      ledger.entries
        .filter(({ stage }) => stage === 'login')
        .map(({ stage, waitedMs, reaction }) => [stage, waitedMs, reaction]),
      [1_000, 2_000, 4_000, 8_000].map((waitedMs) => ['login', waitedMs, 'waited']),
    )
  })

  it('J4: the right one takes as long as a wrong one', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await underTls(proxy)
    for (const afterMs of [0, 1_000, 2_000]) {
      client.says(plain('alice', 'wrong'))
      await client.hears('535 ', { afterMs })
    }
    client.says(plain('alice', 'right'))
    await client.hearsNothing({ forMs: 3_999 })
    await client.hears('235 ', { afterMs: 1 })
    client.leaves()
  })

  it('J4: fifty guesses over fifty connections are no faster than over one', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, index) => underTls(proxy, `192.0.2.${index + 1}`)),
    )
    const asked = () => backend.transcript.filter((line) => line.startsWith('AUTH')).length
    for (const [index, client] of clients.entries()) client.says(plain('alice', `${index}`))
    for (const [count, restMs] of [0, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000].entries()) {
      await proxy.clock.advance(restMs)
      await until(() => asked() === count + 1)
    }
    await proxy.clock.advance(120_000)
    assert.equal(asked(), 7, 'the others have heard 421')
    // Somebody else is not made to wait for them.
    const other = await underTls(proxy, '198.51.100.1')
    other.says(plain('alice', 'right'))
    await other.hears('235 ')
    for (const client of [...clients, other]) client.leaves()
  })

  it('holds no place at the back end between two guesses', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await underTls(proxy)
    client.says(plain('alice', 'wrong'))
    await client.hears('535 ')
    client.says(plain('alice', 'wrong'))
    await backend.closed()
    await client.hears('535 ', { afterMs: 1_000 })
    client.leaves()
  })

  it('is no failure of the client when the back end is away', async () => {
    await using backend = await startBackend({
      ...knowsAlice,
      replies: (line) => (line.startsWith('AUTH') ? '454 4.7.0 not now' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await underTls(proxy)
    for (let count = 0; count < 7; count += 1) {
      client.says(plain('alice', 'right'))
      await client.hears('454 4.7.0 not now')
    }
    client.leaves()
    await until(() => proxy.app.connectionCount === 0)
    assert.equal(proxy.app.log.counts['login.failed'], 0)
  })

  it('ends with the client in the middle of its wait, and with a shutdown', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({ backend: backend.address, config })
    const clients = [await underTls(proxy), await underTls(proxy)]
    for (const client of clients) {
      client.says(plain('alice', 'wrong'))
      await client.hearsEventually('535 ')
    }
    for (const client of clients) client.says(plain('alice', 'wrong'))
    await until(() => proxy.app.holder.heldCount === 2)
    clients[0]?.leaves()
    await until(() => proxy.app.connectionCount === 1)
    void proxy.app.stop()
    await clients[1]?.hears('421 4.3.2 ')
    clients[1]?.leaves()
    await until(() => proxy.app.connectionCount === 0)
    const reactions = proxy.ledgers.map(({ entries }) => entries.at(-1)?.reaction)
    assert.deepEqual(reactions.toSorted(), ['left', 'released'])
  })

  it('spares who has logged in all that follows from reasons', async () => {
    await using backend = await startBackend(knowsAlice)
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}
        reasons.unqual-helo.action = "reject"
        reasons.botnet-nordns.action = "greylist"
        reasons.many-recipients.action = "delay"`,
    })
    const client = await underTls(proxy)
    client.says(plain('alice', 'right'))
    await client.hears('235 ')
    client.says('MAIL FROM:<alice@example.net>')
    await client.hears('250 ')
    for (let count = 0; count < 30; count += 1) {
      client.says(`RCPT TO:<u${count}@example.net>`)
      await client.hears('250 ')
    }
    client.leaves()
    await until(() => proxy.app.connectionCount === 0)
  })

  it('is written down nowhere: neither what is right nor what is wrong', async () => {
    await using backend = await startBackend({
      ...knowsAlice,
      // One that repeats what it has heard, and answers in no reply at all.
      replies: (line, connection) => {
        if (!line.startsWith('AUTH')) return undefined
        if (line === plain('alice', 'Secret-right')) return '235 2.7.0 welcome'
        return connection % 2 === 0 ? `535 5.7.8 what, ${line}?` : `no reply, ${line}`
      },
    })
    await using treacle = await startTreacle({
      config: `
        backend.addresses = ["${backend.address}"]
        backend.recipient_domains = ["example.net"]
        listen.tls_addresses = ["127.0.0.1:0"]
        log.level = "debug"
        ${config}`,
    })
    const [, tls] = await treacle.waitForEvents('server.listening', 2)
    const port = Number(String(tls?.address).split(':').at(-1))
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    using client = new Talk(socket)
    await client.opens()
    assert.equal((await client.asks(plain('Secret-user', 'Secret-wrong'))).code, 535)
    assert.equal((await client.asks(plain('Secret-user', 'Secret-worse'))).code, 451)
    assert.equal((await client.asks('AUTH LOGIN U2VjcmV0LXVzZXI')).code, 501)
    assert.equal((await client.asks('AUTH PLAIN Secret')).code, 501)
    assert.equal((await client.asks(plain('alice', 'Secret-right'))).code, 235)
    await client.quits()
    await treacle.waitForLedgers(1)
    assert.match(treacle.output, /"event":"login.failed"/, 'the log was on')
    assert.match(treacle.output, /"login":"alice"/, 'who has logged in is told')
    assert.doesNotMatch(treacle.output, secrets)
    assert.doesNotMatch(await treacle.mainlog(), secrets)
  })
})

/** The words, and how they look in base64 wherever they stand. */
const secrets = /Secret|U2VjcmV0|NlY3JldC|TZWNyZXQt/
