/** The client is cut off when its message has been taken and it has not heard so (RFC 1047). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type RunningProxy,
  type ScriptClient,
  settled,
  startProxy,
  until,
} from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const config = 'memory.unheard = true'
const message = 'Message-ID: <1@client.example>\r\n\r\n..\r\nhello\r\n.'

describe('a 250 that nobody heard', () => {
  it('is said again to the same message, which is not delivered twice', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const first = await sends(proxy)
    await until(() => backend.messages.length === 1)
    first.leaves()
    await settled()

    const second = await sends(proxy, { from: '192.0.2.200' })
    await second.hears('250 2.0.0 We have this message already')
    await settled()
    assert.equal(backend.messages.length, 1)
    assert.equal(proxy.app.log.counts['message.again'], 1)
    // What the back end was told was broken off before its end, and it can be talked to again.
    await offers(second)
    second.says('DATA')
    await second.hears('354')
    second.says('another\r\n.')
    await second.hears('250 2.0.0 Queued')
    assert.equal(backend.messages.length, 2)
  })

  it('may go unheard once more', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    for (let time = 0; time < 3; time += 1) {
      const client = await sends(proxy)
      await client.hears('250 ')
      client.leaves()
      await settled()
    }
    assert.equal(backend.messages.length, 1)
  })

  it('is waited for when the client leaves first', async () => {
    await using backend = await startBackend({
      replies: (line) => (line === '.' ? 'hang' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    const first = await sends(proxy)
    await until(() => backend.messages.length === 1)
    first.leaves()
    await settled()
    assert.equal(backend.open, 1)
    backend.interject('250 2.0.0 Queued\r\n')
    await until(() => backend.open === 0)
    assert.equal((await proxy.ledger()).transactions[0]?.reply, '250 2.0.0 Queued')

    const second = await sends(proxy)
    await second.hears('250 2.0.0 We have this message already')
    assert.equal(backend.messages.length, 1)
  })

  for (const { verdict, told, count } of [
    { verdict: '250 2.0.0 Queued\r\n', told: '250 2.0.0 We have this message already', count: 1 },
    // None comes, and after a minute the first copy is given up.
    { verdict: '', told: '250 2.0.0 Queued', count: 2 },
  ]) {
    it(`is waited for by the client that is back before "${verdict.trim()}"`, async () => {
      await using backend = await startBackend({
        replies: (line, connection) => (line === '.' && connection === 2 ? 'hang' : undefined),
      })
      await using proxy = await startProxy({ backend: backend.address, config })
      // The first connection was the one that asked what the back end offers.
      const first = await sends(proxy)
      await until(() => backend.messages.length === 1)
      first.leaves()
      const second = await sends(proxy)
      await second.hearsNothing({ forMs: 5_000 })
      assert.equal(backend.messages.length, 1)
      if (verdict !== '') backend.interject(verdict)
      await second.hearsEventually(told)
      assert.equal(backend.messages.length, count)
    })
  }

  it('is waited for a minute and not longer', async () => {
    await using backend = await startBackend({
      replies: (line) => (line === '.' ? 'hang' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await sends(proxy)
    await until(() => backend.messages.length === 1)
    client.leaves()
    await settled()
    await proxy.clock.advance(59_999)
    assert.equal(backend.open, 1)
    await proxy.clock.advance(1)
    await until(() => backend.open === 0)
  })

  const others = [
    { because: 'the client has said something since', says: 'NOOP', config, from: '192.0.2.1' },
    { because: 'it comes from elsewhere', says: '', config, from: '198.51.100.1' },
    { because: 'nobody asked for it', says: '', config: '', from: '192.0.2.1' },
  ]
  for (const { because, says, config, from } of others) {
    it(`is not assumed when ${because}`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address, config })
      const first = await sends(proxy)
      await first.hears('250 2.0.0 Queued')
      if (says !== '') first.says(says)
      if (says !== '') await first.hears('250 ')
      first.leaves()
      const second = await sends(proxy, { from })
      await second.hears('250 2.0.0 Queued')
      assert.equal(backend.messages.length, 2)
    })
  }

  it('was none when the back end refused', async () => {
    let answer = '451 4.3.0 later'
    await using backend = await startBackend({
      replies: (line) => (line === '.' ? answer : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    const first = await sends(proxy)
    await first.hears('451 4.3.0 later')
    first.leaves()
    answer = '250 2.0.0 Queued'
    const second = await sends(proxy)
    await second.hears('250 2.0.0 Queued')
  })

  it('is not believed to be heard by a QUIT that was sent before it', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const first = await sends(proxy, { content: `${message}\r\nQUIT` })
    await first.hears('250 ')
    await first.hears('221 ')
    const second = await sends(proxy)
    await second.hears('250 2.0.0 We have this message already')
    assert.equal(backend.messages.length, 1)
  })
})

interface Sending {
  readonly from?: string
  readonly content?: string
}

/** A client that has sent its whole message and waits for the reply. */
async function sends(
  proxy: RunningProxy,
  { from = '192.0.2.1', content = message }: Sending = {},
): Promise<ScriptClient> {
  const client = await proxy.connectFrom(from)
  await client.isGreeted()
  await offers(client)
  client.says('DATA')
  await client.hears('354')
  client.says(content)
  return client
}

async function offers(client: ScriptClient): Promise<void> {
  client.says('MAIL FROM:<a@client.example>')
  await client.hears('250 ')
  client.says('RCPT TO:<u@example.net>')
  await client.hears('250 ')
}
