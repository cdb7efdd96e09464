/** Reload and shutdown: running connections keep what they came with; nobody's mail is cut in two. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { configOf, settled, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

describe('shutdown', () => {
  it('tells held clients 421 at once, lets a message finish, and greets nobody any more', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'greeting.pause = "3s"',
    })
    const held = await proxy.connectFrom('192.0.2.1')
    const sending = await proxy.connectFrom('192.0.2.2')
    const idle = await proxy.connectFrom('192.0.2.3')
    await held.hears('220 ', { afterMs: 3_000 })
    for (const client of [sending, idle]) await client.hears('220 ')
    held.says('EHLO localhost\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>')
    await held.hears('250-')
    await held.hears('250 2.1.0')
    sending.says(
      'EHLO mail.example.org\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>\r\nDATA',
    )
    await sending.hears('250-')
    await sending.hears('250 2.1.0')
    await sending.hears('250 ')
    await sending.hears('354 ')
    sending.says('half')
    const waiting = await proxy.connectFrom('192.0.2.4')
    await until(() => proxy.app.connectionCount === 4)
    await settled()

    const stopped = proxy.app.stop()
    await held.hears('421 4.3.2 ')
    await idle.hears('421 4.3.2 ')
    await waiting.hears('421 4.3.2 ')
    await sending.hearsNothing({ forMs: 5_000 })
    sending.says('and half\r\n.')
    await sending.hears('250 ')
    await sending.hears('421 4.3.2 ')
    for (const client of [held, idle, waiting, sending]) client.leaves()
    await stopped
    assert.equal(backend.messages.length, 1)
    const reactions = proxy.ledgers.flatMap(({ entries }) =>
      entries.map(({ reaction }) => reaction),
    )
    assert.equal(
      reactions.filter((reaction) => reaction === 'released').length,
      2,
      'held and waiting',
    )
  })

  it('cuts off what is not done when the grace period is over', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'shutdown_grace = "30s"',
    })
    const client = await proxy.connectFrom('192.0.2.2')
    await client.isGreeted()
    client.says('MAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>\r\nDATA')
    await client.hears('250 2.1.0')
    await client.hears('250 ')
    await client.hears('354 ')
    client.says('half')
    const stopped = proxy.app.stop()
    await settled()
    await proxy.clock.advance(30_000)
    await client.isHungUpOn()
    await stopped
    assert.equal(backend.messages.length, 0)
  })
})

describe('reload', () => {
  it('is for new connections; running ones keep the configuration they came with', async () => {
    await using backend = await startBackend()
    await using other = await startBackend({ ehlo: ['SIZE 77'] })
    await using proxy = await startProxy({ backend: backend.address })
    const before = await proxy.connectFrom('192.0.2.1')
    await before.isGreeted('localhost')

    const config = configOf(
      { backend: other.address, config: 'delay.target = ["30s", "30s"]' },
      proxy.folder,
    )
    await proxy.app.reload(config)

    assert.ok(!JSON.stringify(proxy.events).includes('config.needs-restart'))

    const after = await proxy.connectFrom('192.0.2.2')
    await after.hears('220 ')
    after.says('EHLO localhost')
    assert.match(await after.hears('250-'), /SIZE 77/)
    after.says('MAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>')
    await after.hears('250 2.1.0')
    await after.hears('250 ', { afterMs: 30_000 })
    before.says('MAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>')
    await before.hears('250 2.1.0')
    await before.hears('250 ', { afterMs: 90_000 })
    assert.equal(other.transcript.filter((line) => line.startsWith('RCPT')).length, 1)
    assert.equal(backend.transcript.filter((line) => line.startsWith('RCPT')).length, 1)
  })

  it('says what it cannot bring, each time, however often it is asked', async () => {
    await using backend = await startBackend()
    const setup = { backend: backend.address }
    await using proxy = await startProxy(setup)
    const other = { ...setup, config: 'listen.reuse_port = true' }
    for (let count = 0; count < 2; count += 1) {
      await proxy.app.reload(configOf(other, proxy.folder))
    }
    await proxy.app.reload(configOf(setup, proxy.folder))
    const said = proxy.events.filter(({ name }) => name === 'config.needs-restart')
    assert.deepEqual(
      said.map(({ fields }) => fields),
      [{ settings: 'listen.reuse_port' }, { settings: 'listen.reuse_port' }],
    )
  })

  it('reads the list files again', async () => {
    const { writeFileSync } = await import('node:fs')
    await using backend = await startBackend()
    const setup = {
      backend: backend.address,
      config: 'gate.known_good = "friends"',
      files: { friends: '198.51.100.1\n', dubious_helo: '', helo_accept_junk_hosts: '' },
    }
    await using proxy = await startProxy(setup)
    writeFileSync(`${proxy.folder}/friends`, '192.0.2.1\n')
    await proxy.app.reload(configOf(setup, proxy.folder))
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted('localhost')
    client.says('MAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>')
    await client.hears('250 2.1.0')
    await client.hears('250 ')
  })
})
