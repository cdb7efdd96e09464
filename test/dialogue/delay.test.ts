/** Clients with reasons: how long they wait, and for what. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ScriptClient, settled, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

async function offers(client: ScriptClient, sender: string, recipient: string): Promise<void> {
  client.says(`MAIL FROM:<${sender}>`)
  await client.hears('250 2.1.0')
  client.says(`RCPT TO:<${recipient}>`)
}

describe('the delay', () => {
  it('keeps a client with a nasty HELO waiting, then repeats the real server', async () => {
    await using backend = await startBackend({
      replies: (line) => (line.startsWith('RCPT') ? '550 5.1.1 no such user\r\n' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('61.78.92.162')

    await client.isGreeted('MarineGuy')
    await offers(client, 'a@b.example', 'bob@example.net')
    await client.hears('550 5.1.1 no such user', { afterMs: 90_000 })
    client.leaves()

    const { entries, outcome } = await proxy.ledger()
    assert.deepEqual(entries.at(-1), {
      stage: 'rcpt',
      reasons: [
        {
          name: 'unqual-helo',
          evidence: 'HELO MarineGuy is not a qualified domain name',
          weight: 10,
        },
      ],
      excuses: [],
      targetMs: 90_000,
      lookupMs: 0,
      plannedMs: 90_000,
      waitedMs: 90_000,
      reaction: 'waited',
      observed: false,
    })
    assert.equal(outcome, 'refused')
  })

  for (const lookupMs of [0, 5_000, 40_000]) {
    it(`takes the same in all when look-ups take ${lookupMs / 1_000} s`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({
        backend: backend.address,
        dns: { ptr: { '192.0.2.9': ['adsl-1.example.org'] }, slowMs: { '192.0.2.9': lookupMs } },
        config: 'reasons.time_limit = "60s"',
      })
      const client = await proxy.connectFrom('192.0.2.9')

      await client.isGreeted()
      await offers(client, 'a@b.example', 'bob@example.net')
      await client.hears('250 ', { afterMs: 90_000 })
      client.leaves()
      const entry = (await proxy.ledger()).entries.at(-1)
      assert.equal(entry?.lookupMs, lookupMs)
      assert.equal(entry?.plannedMs, 90_000 - lookupMs)
    })
  }

  it('waits a second at the least, when looking has taken all of it', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      dns: { ptr: { '192.0.2.9': ['adsl-1.example.org'] }, slowMs: { '192.0.2.9': 95_000 } },
      config: 'reasons.time_limit = "120s"',
    })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted()
    await offers(client, 'a@b.example', 'bob@example.net')
    await client.hears('250 ', { afterMs: 96_000 })
  })

  it('is paid for each recipient, up to the budget of the session', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'delay.session_budget = "200s"',
    })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, 'a@b.example', 'one@example.net')
    await client.hears('250 ', { afterMs: 90_000 })
    client.says('RCPT TO:<two@example.net>')
    await client.hears('250 ', { afterMs: 90_000 })
    client.says('RCPT TO:<three@example.net>')
    await client.hears('250 ', { afterMs: 20_000 })
    client.says('RCPT TO:<four@example.net>')
    await client.hears('250 ')
  })

  it('is paid once for a message with scope = "transaction", once in all with "connection"', async () => {
    for (const [scope, again] of [
      ['transaction', 90_000],
      ['connection', 0],
    ] as const) {
      await using backend = await startBackend()
      await using proxy = await startProxy({
        backend: backend.address,
        config: `delay.scope = "${scope}"`,
      })
      const client = await proxy.connectFrom('192.0.2.9')
      await client.isGreeted('localhost')
      await offers(client, 'a@b.example', 'one@example.net')
      await client.hears('250 ', { afterMs: 90_000 })
      client.says('RCPT TO:<two@example.net>')
      await client.hears('250 ')
      client.says('RSET')
      await client.hears('250 ')
      await offers(client, 'a@b.example', 'one@example.net')
      await client.hears('250 ', { afterMs: again })
    }
  })

  it('is short for the null sender, whose server may be verifying an address of ours', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, '', 'bob@example.net')
    await client.hears('250 ', { afterMs: 20_000 })
  })

  it('spares mail for postmaster and abuse alone', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, 'a@b.example', 'PostMaster@example.net')
    await client.hears('250 ')
    client.says('RCPT TO:<postmaster>')
    await client.hears('250 ')
    client.says('RCPT TO:<abuse@example.net>')
    await client.hears('250 ')
    client.says('RCPT TO:<bob@example.net>')
    await client.hears('250 ', { afterMs: 90_000 })
    client.says('RCPT TO:<abuse@example.net>')
    await client.hears('250 ', { afterMs: 90_000 })
  })

  it('never delays DATA or its last reply', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, 'a@b.example', 'bob@example.net')
    await client.hears('250 ', { afterMs: 90_000 })
    client.says('DATA')
    await client.hears('354 ')
    client.says('hello\r\n.')
    await client.hears('250 ')
    assert.match(
      backend.messages[0]?.toString() ?? '',
      /\r\nX-HELO-warning: That's a nasty HELO: localhost\r\n/,
    )
  })

  it('writes what it would do and makes nobody wait with mode = "observe"', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'mode = "observe"',
    })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, 'a@b.example', 'bob@example.net')
    await client.hears('250 ')
    client.leaves()
    const entry = (await proxy.ledger()).entries.at(-1)
    assert.equal(entry?.observed, true)
    assert.equal(entry?.plannedMs, 90_000)
    assert.equal(entry?.waitedMs, 0)
  })

  it('lets one reason be only observed, and another be off', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      dns: { ptr: { '192.0.2.9': ['dsl-9.example.org'] } },
      config:
        'reasons.unqual-helo.action = "observe"\nreasons.hostname-dsl-or-dialup.action = "off"',
    })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, 'a@b.example', 'bob@example.net')
    await client.hears('250 ')
    client.leaves()
    const entry = (await proxy.ledger()).entries.at(-1)
    assert.deepEqual(
      entry?.reasons.map(({ name }) => name),
      ['unqual-helo'],
    )
    assert.equal(entry?.observed, true)
  })
})

describe('a client that waits', () => {
  it('occupies no place at the back end, not even for its second recipient', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, 'a@b.example', 'one@example.net')
    await settled()
    assert.equal(backend.open, 0)
    await client.hears('250 ', { afterMs: 90_000 })
    client.says('RCPT TO:<two@example.net>')
    await until(() => proxy.app.holder.heldCount === 1)
    await until(() => backend.open === 0)
    await client.hears('250 ', { afterMs: 90_000 })
    client.says('DATA')
    await client.hears('354 ')
    client.says('hello\r\n.')
    await client.hears('250 ')
    assert.deepEqual(backend.transcript.slice(-4), [
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<one@example.net>',
      'RCPT TO:<two@example.net>',
      'DATA',
    ])
  })

  it('frees everything at once when it leaves, and the ledger says after how long', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('61.78.92.162')
    await client.isGreeted('MarineGuy')
    await offers(client, 'a@b.example', 'u@example.net')
    await until(() => proxy.app.holder.heldCount === 1)
    await proxy.clock.advance(1_003)
    client.leaves()
    await until(() => proxy.app.holder.heldCount === 0)

    const ledger = await proxy.ledger()
    assert.equal(ledger.outcome, 'left')
    assert.equal(ledger.entries.at(-1)?.reaction, 'left')
    assert.equal(ledger.entries.at(-1)?.waitedMs, 1_003)
    assert.equal(proxy.clock.sleeping, proxy.timersAtRest)
    assert.equal(backend.connections, 1, 'only the one that asked what it offers')
  })

  it('is noticed to leave although it has sent more than we read of it', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, 'a@b.example', 'u@example.net')
    client.says(`NOOP\r\n`.repeat(5_000))
    await until(() => proxy.app.holder.heldCount === 1)
    client.socket.end()
    await until(() => proxy.app.holder.heldCount === 0)
    assert.equal((await proxy.ledger()).outcome, 'left')
  })

  it('is sent away when it sends without end', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted('localhost')
    await offers(client, 'a@b.example', 'u@example.net')
    client.says(Buffer.alloc(400_000, 'NOOP\r\n'))
    await client.hears('421 4.7.0')
    assert.equal(proxy.app.holder.heldCount, 0)
  })

  it('is answered early when a more suspicious one needs its place; the newcomer of equals is served', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'delay.slots = 1',
      dns: { ptr: { '192.0.2.3': ['dsl-3.example.org'] } },
    })
    const first = await proxy.connectFrom('192.0.2.1')
    await first.isGreeted('localhost')
    await offers(first, 'a@b.example', 'u@example.net')
    await until(() => proxy.app.holder.heldCount === 1)

    const equal = await proxy.connectFrom('192.0.2.2')
    await equal.isGreeted('localhost')
    await offers(equal, 'a@b.example', 'u@example.net')
    await equal.hears('250 ')

    const worse = await proxy.connectFrom('192.0.2.3')
    await worse.isGreeted('localhost')
    await offers(worse, 'a@b.example', 'u@example.net')
    await first.hears('250 ')
    await worse.hears('250 ', { afterMs: 90_000 })
    first.leaves()
    await until(() => proxy.ledgers.length === 1)
    assert.equal(proxy.ledgers[0]?.entries.at(-1)?.reaction, 'released')
    assert.ok(proxy.app.log.counts['delay.slots-full'] > 0)
  })
})
