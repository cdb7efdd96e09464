/** The catalogue, I13 to I18: XCLIENT from those who may say it, and from those who may not. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type RunningProxy, type ScriptClient, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const peer = '203.0.113.9'
const config = `listen.xclient_from = ["${peer}", "2001:db8:9::/48"]`
const keyword =
  /250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN REVERSE_NAME DESTADDR DESTPORT|250 XCLIENT /

/** A client that is one of the peers, after its EHLO. */
async function peerOf(proxy: RunningProxy, ip = peer): Promise<ScriptClient> {
  const client = await proxy.connectFrom(ip)
  await client.hears('220 ')
  client.says('EHLO relay.example.org')
  assert.match(await client.hears('250-'), keyword)
  return client
}

async function givesRecipient(client: ScriptClient, afterMs: number, helo = 'printer') {
  client.says(`EHLO ${helo}`)
  const offer = await client.hears('250-')
  client.says('MAIL FROM:<a@b.example>')
  await client.hears('250 ')
  client.says('RCPT TO:<u@example.net>')
  await client.hears('250 ', { afterMs })
  return offer
}

describe('XCLIENT', () => {
  for (const ip of ['192.0.2.1', '203.0.113.10', '127.0.0.1', '10.0.0.1', '2001:db8:a::1']) {
    it(`I13, I14: is neither offered to ${ip} nor taken from it`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address, config })
      const client = await proxy.connectFrom(ip)
      await client.hears('220 ')
      client.says('EHLO mail.example.org')
      assert.doesNotMatch(await client.hears('250-'), /XCLIENT/)
      client.says('XCLIENT ADDR=8.8.8.8 NAME=trusted.example')
      await client.hears('550 5.7.0 ')
      client.leaves()
      assert.equal((await proxy.ledger()).client, ip)
    })
  }

  it('begins everything anew for the client that is named', async () => {
    await using backend = await startBackend({ ehlo: ['XCLIENT NAME ADDR PORT LOGIN DESTADDR'] })
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}\ngreeting.pause = "3s"\nreasons.botnet-nordns.action = "delay"`,
    })
    // The peer itself is not made to wait for its greeting, and its names are nobody's business.
    const client = await peerOf(proxy)
    client.says('XCLIENT ADDR=198.51.100.7 PORT=2525 DESTADDR=192.0.2.25 NAME=mail.client.example')
    await client.hears('220 mx.example.org ESMTP')
    client.says('MAIL FROM:<a@b.example>')
    await client.hears('503 ')
    const offer = await givesRecipient(client, 90_000)
    assert.doesNotMatch(offer, /XCLIENT/)
    const told = backend.transcript.find((line) => line.startsWith('XCLIENT'))
    assert.match(told ?? '', / ADDR=198\.51\.100\.7 PORT=2525 DESTADDR=192\.0\.2\.25$/)
    client.leaves()
    await until(() => proxy.ledgers.length === 2)
    assert.deepEqual(
      proxy.ledgers.map((ledger) => [ledger.client, ledger.port, ledger.outcome]),
      [
        [peer, 40_000, 'nothing'],
        ['198.51.100.7', 2_525, 'nothing'],
      ],
    )
    const names = proxy.ledgers[1]?.findings.map(({ reason }) => reason) ?? []
    assert.ok(names.includes('botnet-nordns'), 'the name that the peer says is not believed')
  })

  it('counts the client at the door, where it may be one too many', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}\nlimits.per_address_max = 2`,
    })
    // Whoever speaks for many comes often himself.
    const peers = [await peerOf(proxy), await peerOf(proxy), await peerOf(proxy)]
    const inside = peers.slice(0, 2)
    for (const client of inside) {
      client.says('XCLIENT ADDR=198.51.100.7')
      await client.hears('220 ')
    }
    const third = peers[2]
    assert.ok(third)
    third.says('XCLIENT ADDR=198.51.100.7')
    await third.hears('421 4.7.0 Sorry, too many connections from 198.51.100.7')
    await third.isHungUpOn()
    third.leaves()
    const direct = await proxy.connectFrom('198.51.100.7')
    await direct.hears('421 ')
    inside[0]?.leaves()
    await until(() => proxy.app.connectionCount === 1)
    const again = await proxy.connectFrom('198.51.100.7')
    await again.hears('220 ')
    for (const client of [...inside, again]) client.leaves()
    await until(() => proxy.app.connectionCount === 0)
  })

  it('says who has logged in there, who then never waits', async () => {
    await using backend = await startBackend({ ehlo: ['XCLIENT ADDR LOGIN'] })
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await peerOf(proxy)
    client.says('XCLIENT ADDR=198.51.100.7 LOGIN=alice+40example.net')
    await client.hears('220 ')
    await givesRecipient(client, 0)
    assert.ok(backend.transcript.includes('XCLIENT ADDR=198.51.100.7 LOGIN=alice@example.net'))
    client.leaves()
    await until(() => proxy.ledgers.length === 2)
    assert.equal(proxy.ledgers[1]?.login, 'alice@example.net')
  })

  for (const ip of ['127.0.0.1', '10.1.2.3', '192.168.0.1', 'IPV6:::1', 'IPV6:fd00::1']) {
    it(`wins nothing with the private address ${ip}, here or behind us`, async () => {
      await using backend = await startBackend({ ehlo: ['XCLIENT ADDR'] })
      await using proxy = await startProxy({
        backend: backend.address,
        config: `${config}\ngate.known_good = "friends"`,
        files: {
          friends: '127.0.0.0/8\n10.0.0.0/8\n192.168.0.0/16\n::1\nfd00::/8\n',
          dubious_helo: '',
          helo_accept_junk_hosts: '',
        },
      })
      const client = await peerOf(proxy)
      client.says(`XCLIENT ADDR=${ip}`)
      await client.hears('220 ')
      await givesRecipient(client, 90_000)
      const told = backend.transcript.find((line) => line.startsWith('XCLIENT'))
      assert.match(told ?? '', /^XCLIENT ADDR=(?:0\.0\.0\.0|IPV6:::)$/)
      client.leaves()
      await until(() => proxy.ledgers.length === 2)
    })
  }

  it('stays under TLS, and is taken there', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}\ntls.self_signed = true\nsmtp.auth = "relay"`,
    })
    const client = await peerOf(proxy)
    client.says('STARTTLS')
    await client.hears('220 ')
    await client.startsTls()
    client.says('EHLO relay.example.org')
    assert.match(await client.hears('250-'), keyword)
    client.says('XCLIENT ADDR=198.51.100.7 LOGIN=alice')
    await client.hears('220 ')
    client.says('EHLO printer')
    assert.doesNotMatch(await client.hears('250-'), /STARTTLS|AUTH|XCLIENT/)
    client.says('AUTH PLAIN')
    await client.hears('503 ')
    client.leaves()
    await until(() => proxy.ledgers.length === 2)
    assert.equal(proxy.ledgers[1]?.protocol, 'ESMTPSA')
  })

  it('is no hindrance to STARTTLS afterwards', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}\ntls.self_signed = true`,
    })
    const client = await peerOf(proxy)
    client.says('XCLIENT ADDR=198.51.100.7')
    await client.hears('220 ')
    client.says('EHLO printer')
    assert.match(await client.hears('250-'), /STARTTLS/)
    client.says('STARTTLS')
    await client.hears('220 ')
    await client.startsTls()
    await givesRecipient(client, 90_000)
    client.leaves()
    await until(() => proxy.app.connectionCount === 0)
    assert.deepEqual(
      proxy.ledgers.map((ledger) => [ledger.client, ledger.protocol]),
      [
        [peer, 'ESMTP'],
        ['198.51.100.7', 'ESMTPS'],
      ],
    )
  })

  it('I16: is not taken in the middle of a message, nor twice', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      // Not even where the client that is named might say it itself.
      config: `listen.xclient_from = ["${peer}", "198.51.100.0/24"]`,
    })
    const client = await peerOf(proxy)
    client.says('MAIL FROM:<a@b.example>')
    await client.hears('250 ')
    client.says('XCLIENT ADDR=198.51.100.7')
    await client.hears('503 ')
    client.says('RSET')
    await client.hears('250 ')
    client.says('XCLIENT ADDR=198.51.100.7')
    await client.hears('220 ')
    for (const _ of [1, 2]) {
      client.says('XCLIENT ADDR=198.51.100.8')
      await client.hears('550 ')
      client.says('EHLO mail.example.org')
      await client.hears('250-')
    }
    client.leaves()
    await until(() => proxy.ledgers.length === 2)
    assert.equal(proxy.ledgers[1]?.client, '198.51.100.7')
  })

  const malformed = [
    { said: 'NAME=a+0D+0Ab HELO=x+0D+0AX-Inj:+20y', because: 'I15: line breaks' },
    { said: 'ADDR=192.0.2.7 LOGIN=a+00b', because: 'I15: a NUL' },
    { said: 'ADDR=192.0.2.7 LOGIN=a+7Fb', because: 'I15: a control' },
    { said: 'ADDR=192.0.2.7 HELO=a+20b', because: 'no name has a space' },
    { said: 'ADDR=192.0.2.7 HELO=+24{run}', because: 'Exim would expand it' },
    { said: 'ADDR=192.0.2.7 NAME=-..-', because: 'no name' },
    { said: 'ADDR=192.0.2.7 NAME=a+zz', because: 'no xtext' },
    { said: 'ADDR=192.0.2.7 NAME=a+e4', because: 'xtext is in capitals, and UTF-8' },
    { said: 'ADDR=192.0.2.256', because: 'no address' },
    { said: 'ADDR=010.0.0.1', because: 'octal to some' },
    { said: 'ADDR=IPV6:192.0.2', because: 'no address' },
    { said: 'ADDR=192.0.2.7/24', because: 'a network' },
    { said: 'ADDR=192.0.2.7 ADDR=192.0.2.8', because: 'twice' },
    { said: 'ADDR=192.0.2.7 PORT=0', because: 'no port' },
    { said: 'ADDR=192.0.2.7 PORT=65536', because: 'no port' },
    { said: 'ADDR=192.0.2.7 PORT=25x', because: 'no port' },
    { said: 'ADDR=192.0.2.7 PROTO=HTTP', because: 'no such protocol here' },
    { said: 'ADDR=192.0.2.7 SESSION=x', because: 'nobody offered it' },
    { said: 'ADDR=192.0.2.7 __PROTO__=x', because: 'an object has it' },
    { said: 'ADDR', because: 'no value' },
    { said: 'ADDR=', because: 'no value' },
    { said: 'ADDR=a=b', because: 'two' },
    { said: '', because: 'nothing' },
    { said: `ADDR=192.0.2.7 LOGIN=${'a'.repeat(256)}`, because: 'longer than may be' },
  ]
  it('I15: is refused as a whole when any of it is wrong', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${config}\nlimits.errors_max = 100`,
    })
    const client = await peerOf(proxy)
    for (const { said, because } of malformed) {
      client.says(`XCLIENT ${said}`)
      assert.match(await client.hears(/^\d/), /^501 5\.5\.4 /, `${said}: ${because}`)
    }
    client.says('XCLIENT NAME=[UNAVAILABLE] REVERSE_NAME=[TEMPUNAVAIL] ADDR=IPV6:2001:db8::7')
    await client.hears('220 ')
    client.leaves()
    await until(() => proxy.ledgers.length === 2)
    assert.equal(proxy.ledgers[1]?.client, '2001:db8::7')
  })

  it('I18: where the back end has it no more, nobody is passed on as if he were us', async () => {
    let ehlo = '250-backend.example.net\r\n250 XCLIENT ADDR'
    await using backend = await startBackend({
      replies: (line) => (line.startsWith('EHLO') ? ehlo : undefined),
    })
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'backend.recipient_domains = []',
    })
    ehlo = '250 backend.example.net'
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says('MAIL FROM:<a@b.example>')
    await client.hears('250 ')
    client.says('RCPT TO:<u@example.net>')
    await client.hears('451 4.3.5 ')
    client.leaves()
    assert.ok(!backend.transcript.some((line) => /^(?:MAIL|RCPT)/.test(line)))
    assert.equal(proxy.app.log.counts['backend.open-relay-risk'], 1)
  })

  it('leaves the peer where it is when it says nothing of an address', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await peerOf(proxy, '2001:db8:9::1')
    client.says('XCLIENT HELO=mail.example.org PROTO=ESMTP')
    await client.hears('220 ')
    client.leaves()
    await until(() => proxy.ledgers.length === 2)
    assert.equal(proxy.ledgers[1]?.client, '2001:db8:9::1')
  })
})
