/** The table "When things go wrong" of the design, one test a row. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { configOf, type ScriptClient, settled, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

async function offers(client: ScriptClient, recipient = 'u@example.net'): Promise<void> {
  client.says('MAIL FROM:<a@b.example>')
  await client.hears('250 2.1.0')
  client.says(`RCPT TO:<${recipient}>`)
}

describe('when things go wrong', () => {
  it('a reason is too slow: counted, and taken as not found', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      dns: { ptr: { '192.0.2.9': ['adsl-9.example.org'] }, slowMs: { '192.0.2.9': 60_000 } },
      config: 'reasons.time_limit = "10s"',
    })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted()
    await offers(client)
    await client.hears('250 ', { afterMs: 10_000 })
    client.leaves()
    assert.deepEqual(
      (await proxy.ledger()).entries.filter(({ stage }) => stage === 'rcpt'),
      [],
    )
  })

  it('a look-up fails: nothing', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, dns: { down: ['192.0.2.9'] } })
    const client = await proxy.connectFrom('192.0.2.9')
    await client.isGreeted()
    await offers(client)
    await client.hears('250 ')
  })

  it('the back end is unreachable: 451 4.4.1 at RCPT, and another try at the next', async () => {
    const backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    await backend[Symbol.asyncDispose]()
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('451 4.4.1 ')
    await using back = await startBackend({ port: Number(backend.address.split(':')[1]) })
    client.says('RCPT TO:<u@example.net>')
    await client.hears('250 ')
    assert.equal(back.connections, 1)
    assert.equal(proxy.app.log.counts['backend.down'], 1)
    assert.equal(proxy.app.log.counts['backend.up'], 1)
  })

  it('the back end answers 4xx at connect: the same', async () => {
    let greeting = '220 backend.example ESMTP\r\n'
    await using backend = await startBackend({ greeting: () => greeting })
    await using proxy = await startProxy({ backend: backend.address })
    greeting = '421 4.3.2 too busy\r\n'
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('451 4.4.1 ')
  })

  it('the first address of the back end is down: the second is used', async () => {
    await using backend = await startBackend()
    const gone = await startBackend()
    await gone[Symbol.asyncDispose]()
    await using proxy = await startProxy({ backend: [gone.address, backend.address] })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('250 ')
  })

  it('the back end refuses: its code and words, and the ledger says refused', async () => {
    await using backend = await startBackend({
      replies: (line) => (line.startsWith('MAIL') ? '553 5.1.8 we know you\r\n' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('553 5.1.8 we know you')
    client.says('RCPT TO:<other@example.net>')
    await client.hears('553 5.1.8 we know you')
    client.leaves()
    assert.equal((await proxy.ledger()).outcome, 'refused')
  })

  for (const step of ['MAIL', 'RCPT']) {
    it(`the back end dies at ${step}: 451, and nothing was accepted`, async () => {
      await using backend = await startBackend({
        replies: (line) => (line.startsWith(step) ? 'close' : undefined),
      })
      await using proxy = await startProxy({ backend: backend.address })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      await offers(client)
      await client.hears('451 4.4.2 ')
      client.says('DATA')
      await client.hears('554 ')
      client.says('NOOP')
      await client.hears('250 ')
    })
  }

  it('the back end dies at DATA or at the final dot: 451, and nothing was accepted', async () => {
    let diesAt = 'DATA'
    await using backend = await startBackend({
      replies: (line) => (line === diesAt ? 'close' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('250 ')
    client.says('DATA')
    await client.hears('451 4.4.2 ')
    diesAt = '.'
    await offers(client)
    await client.hears('250 ')
    client.says('DATA')
    await client.hears('354 ')
    client.says('hello\r\n.')
    await client.hears('451 4.4.2 ')
    client.says('NOOP')
    await client.hears('250 ')
  })

  it('the back end dies in the middle of the content: 451 4.4.2 after the data', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('250 ')
    client.says('DATA')
    await client.hears('354 ')
    client.says('the first half')
    await settled()
    backend.cut()
    await settled()
    client.says('the second half')
    await settled()
    client.says('.')
    await client.hears('451 4.4.2 ')
    client.says('QUIT')
    await client.hears('221 ')
    assert.equal(backend.messages.length, 0)
  })

  it('the back end falls silent: 451 when its time is up', async () => {
    await using backend = await startBackend({
      replies: (line) => (line.startsWith('RCPT') ? 'hang' : undefined),
    })
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'backend.command_timeout = "30s"',
    })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('451 4.4.2 ', { afterMs: 30_000 })
  })

  for (const garbage of [
    '250 ok\n',
    '25\r\n',
    '2500 x\r\n',
    '250-a\r\n550 b\r\n',
    'hello\r\n',
    `250 ${'x'.repeat(100_000)}`,
  ]) {
    it(`the back end answers ${JSON.stringify(garbage.slice(0, 20))}: 451, and it is not spoken to again`, async () => {
      await using backend = await startBackend({
        replies: (line) => (line.startsWith('RCPT') ? garbage : undefined),
      })
      await using proxy = await startProxy({ backend: backend.address })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      await offers(client)
      await client.hears('451 4.4.2 ')
      await until(() => backend.open === 0)
    })
  }

  it('the client leaves in the middle of DATA: the back end sees no end of the message', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('250 ')
    client.says('DATA')
    await client.hears('354 ')
    client.says('half a message')
    await settled()
    client.leaves()
    await until(() => backend.open === 0)
    assert.equal(backend.messages.length, 0)
    assert.equal((await proxy.ledger()).outcome, 'nothing')
  })

  it('the new config is wrong on reload: one error, and everything as before', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const wrong = configOf(
      { backend: backend.address, config: 'gate.known_good = "missing"' },
      proxy.folder,
    )
    await assert.rejects(proxy.app.reload(wrong), /gate\.known_good: no such file/)
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted('localhost')
    await offers(client)
    await client.hears('250 ', { afterMs: 90_000 })
  })

  it('a bug of ours: 421 4.3.0, a stack in the log, and everybody else is served', async () => {
    const broken = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('a bug')
        },
      },
    )
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      dns: { ptr: broken },
      faultsExpected: 1,
    })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await offers(client)
    await client.hears('421 4.3.0 ')
    await client.isHungUpOn()
    const fault = proxy.events.find(({ name }) => name === 'our-fault')
    assert.match(JSON.stringify(fault?.fields), /a bug.*src.session.identifying/s)
    const next = await proxy.connectFrom('192.0.2.1')
    await next.isGreeted()
  })
})
