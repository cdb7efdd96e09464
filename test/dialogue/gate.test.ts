/** The door: the greet pause, early talk, who is let in. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { settled, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const pause = 'greeting.pause = "3s"\ngreeting.pause_suspect = "20s"\n'

/** The base config of the dialogues has no pause; TOML takes a key only once. */
function withPause(more = ''): string {
  return `${pause}${more}`
}

describe('the greet pause', () => {
  it('is short for a client without reasons', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config: withPause() })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.hears('220 mx.example.org ESMTP', { afterMs: 3_000 })
    client.leaves()
    const [entry] = (await proxy.ledger()).entries
    assert.deepEqual(
      [entry?.stage, entry?.waitedMs, entry?.reaction],
      ['greeting', 3_000, 'waited'],
    )
  })

  it('is long for one with a reason by then', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${withPause()}\nreasons.botnet-client.action = "delay"\n`,
      dns: { ptr: { '192.0.2.2': ['dialup-2.example.org'] } },
    })
    const client = await proxy.connectFrom('192.0.2.2')
    await client.hears('220 ', { afterMs: 20_000 })
  })

  it('does not wait for look-ups that are not done by then', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: withPause(),
      dns: { ptr: { '192.0.2.2': ['dialup-2.example.org'] }, slowMs: { '192.0.2.2': 4_000 } },
    })
    const client = await proxy.connectFrom('192.0.2.2')
    await client.hears('220 ', { afterMs: 3_000 })
  })

  it('is spared known good clients, by address at once and by confirmed name as soon as it is known', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: withPause('gate.known_good = "friends"'),
      files: {
        friends: '192.0.2.1\n*.friend.example\n',
        dubious_helo: '',
        helo_accept_junk_hosts: '',
      },
      dns: {
        ptr: { '192.0.2.2': ['mail.friend.example'], '192.0.2.3': ['forged.friend.example'] },
        a: { 'mail.friend.example': ['192.0.2.2'], 'forged.friend.example': ['198.51.100.1'] },
        slowMs: { '192.0.2.2': 500 },
      },
    })
    const listed = await proxy.connectFrom('192.0.2.1')
    await listed.hears('220 ')
    const named = await proxy.connectFrom('192.0.2.2')
    await named.hears('220 ', { afterMs: 500 })
    const forged = await proxy.connectFrom('192.0.2.3')
    await forged.hears('220 ', { afterMs: 3_000 })

    // Known good clients are not delayed for reasons either.
    named.says('EHLO printer')
    await named.hears('250-')
    named.says('MAIL FROM:<a@b.example>')
    await named.hears('250 ')
    named.says('RCPT TO:<u@example.net>')
    await named.hears('250 ')
  })

  it('ends with nothing held when the client leaves in it, and the back end never hears of it', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config: withPause() })
    const client = await proxy.connectFrom('192.0.2.1')
    await settled()
    await proxy.clock.advance(1_000)
    client.leaves()
    await until(() => proxy.app.connectionCount === 0)
    assert.equal(proxy.clock.sleeping, proxy.timersAtRest)
    const [entry] = (await proxy.ledger()).entries
    assert.deepEqual([entry?.waitedMs, entry?.reaction], [1_000, 'left'])
    assert.equal(backend.connections, 1, 'only the one that asked what it offers')
  })
})

describe('early talk', () => {
  for (const bytes of ['EHLO x\r\n', '\r\n', '\x16\x03\x01', 'POST / HTTP/1.1\r\n']) {
    it(`sends ${JSON.stringify(bytes)} away with 554`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address, config: withPause() })
      const client = await proxy.connectFrom('192.0.2.1')
      client.says(Buffer.from(bytes, 'latin1'))
      await client.hears('554 5.5.1 ')
      await client.isHungUpOn()
      client.leaves()
      const ledger = await proxy.ledger()
      assert.equal(ledger.outcome, 'turned-away')
      assert.equal(ledger.entries[0]?.reaction, 'talked')
    })
  }

  it('is a reason with early_talk = "delay": a long pause, a delay, and nothing of it lost', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: withPause('greeting.early_talk = "delay"'),
    })
    const client = await proxy.connectFrom('192.0.2.1')
    client.says('EHLO mail.example.org\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>')
    await client.hears('220 ', { afterMs: 20_000 })
    await client.hears('250-')
    await client.hears('250 2.1.0')
    await client.hears('250 ', { afterMs: 90_000 })
    client.leaves()
    const entry = (await proxy.ledger()).entries.at(-1)
    assert.deepEqual(
      entry?.reasons.map(({ name }) => name),
      ['early-talker'],
    )
  })

  it('is not seen with mode = "observe", which makes nobody wait for the greeting', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: withPause('mode = "observe"'),
    })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.hears('220 ')
  })
})

describe('admission', () => {
  const limits =
    'limits.connections_max = 4\nlimits.per_address_max = 2\nlimits.per_network_max = 3\n'

  it('sends away one past each limit with 421, and lets in again when one has left', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config: limits })
    const first = await proxy.connectFrom('192.0.2.1')
    await first.hears('220 ')
    await (await proxy.connectFrom('192.0.2.1')).hears('220 ')
    const third = await proxy.connectFrom('192.0.2.1')
    await third.hears('421 4.7.0 Sorry, too many connections from 192.0.2.1')
    await third.isHungUpOn()
    await (await proxy.connectFrom('192.0.2.2')).hears('220 ')
    await (await proxy.connectFrom('192.0.2.3')).hears(
      '421 4.7.0 Sorry, too many connections from 192.0.2.0/24',
    )
    await (await proxy.connectFrom('198.51.100.1')).hears('220 ')
    await (await proxy.connectFrom('203.0.113.1')).hears('421 4.7.0 Sorry, too many connections')
    first.leaves()
    await until(() => proxy.app.connectionCount === 3)
    await (await proxy.connectFrom('203.0.113.1')).hears('220 ')
  })

  it('counts a peer that speaks for others for no address but those it names', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `listen.xclient_from = ["192.0.2.9"]\nlimits.per_address_max = 1\nlimits.rate_per_address_max = 2\n`,
    })
    for (let count = 0; count < 5; count += 1) {
      const peer = await proxy.connectFrom('192.0.2.9')
      await peer.isGreeted()
      peer.says('XCLIENT ADDR=198.51.100.1')
      await peer.hears(count === 0 ? '220 ' : '421 4.7.0 Sorry, too many connections from 198.51')
    }
  })

  it('counts a /64 of IPv6 as one network', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config: limits })
    for (const host of ['1', '2:3', 'ffff:1:2:3']) {
      await (await proxy.connectFrom(`2001:db8::${host}`)).hears('220 ')
    }
    await (await proxy.connectFrom('2001:db8::9')).hears('421 4.7.0')
    await (await proxy.connectFrom('2001:db8:0:1::9')).hears('220 ')
    await settled()
  })
})
