/**
 * What comes of mail when one side hangs up, goes silent or runs ahead at an awkward moment. Each of these
 * was wrong on 2026-11-28 or before, and was found by a review or an attack.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type RunningProxy, settled, startProxy } from '../helpers/proxy.ts'
import { type Answer, startBackend } from '../helpers/scripted-backend.ts'

const minute = 60_000
const envelope = ['MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.net>']

describe('a back end', () => {
  for (const offer of ['PIPELINING', '8BITMIME']) {
    it(`refuses MAIL for good and hangs up: the client hears the refusal (${offer})`, async () => {
      await using backend = await startBackend({ ehlo: [offer], replies: refusing('<bad') })
      await using proxy = await startProxy({ backend: backend.address })
      const client = await begins(proxy, 'MAIL FROM:<bad@example.org>')
      client.says('RCPT TO:<b@example.net>')
      await client.hears('550 5.7.1 go away')
    })

    it(`does the same to the next client of a conversation: it is asked once (${offer})`, async () => {
      await using backend = await startBackend({ ehlo: [offer], replies: refusing('<bad') })
      await using proxy = await startProxy({ backend: backend.address, config: reusing })
      await delivers(proxy)
      const client = await begins(proxy, 'MAIL FROM:<bad@example.org>')
      client.says('RCPT TO:<b@example.net>')
      await client.hears('550 5.7.1 go away')
      assert.equal(backend.transcript.filter((line) => line.includes('<bad')).length, 1)
    })

    it(`does not know RSET: the next message goes all the same (${offer})`, async () => {
      await using backend = await startBackend({
        ehlo: [offer],
        replies: (line) => (line === 'RSET' ? '502 5.5.1 what?' : undefined),
      })
      await using proxy = await startProxy({ backend: backend.address })
      const client = await begins(proxy, ...envelope)
      client.says('RSET')
      await client.hears('250 ')
      for (const line of envelope) {
        client.says(line)
        await client.hears('250 ')
      }
    })

    it(`has fallen silent since the last client: the next waits 5 s, not minutes (${offer})`, async () => {
      let mute = false
      await using backend = await startBackend({
        ehlo: [offer],
        replies: (_, connection) => (mute && connection === 2 ? 'hang' : undefined),
      })
      await using proxy = await startProxy({ backend: backend.address, config: reusing })
      await delivers(proxy)
      mute = true
      const client = await begins(proxy, 'MAIL FROM:<a@example.org>')
      client.says('RCPT TO:<b@example.net>')
      await client.hears('250 ', { afterMs: 5_000 })
    })
  }

  it('answers XFORWARD with 421 before DATA: nothing is said of mail it has not heard of', async () => {
    await using backend = await startBackend({
      ehlo: ['PIPELINING', 'XFORWARD NAME ADDR PROTO HELO'],
      replies: (line, connection) =>
        connection === 3 && line.startsWith('XFORWARD') ? '421 4.3.2 going down' : undefined,
    })
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted('friend')
    client.says('MAIL FROM:<a@example.org>')
    await client.hears('250 ')
    client.says('RCPT TO:<b@example.net>')
    await client.hears('250 ', { afterMs: 90_000 })
    client.says('RCPT TO:<b@elsewhere.example>')
    await client.hears('550 5.7.1', { afterMs: 90_000 })
    client.says('DATA')
    await client.hears('451 4.4.2 ')
    assert.ok(!backend.transcript.includes('DATA'))
  })
})

describe('a client', () => {
  for (const rate of [0, 100]) {
    it(`is silent in a message for longer than it may (at least ${rate} bytes a second)`, async () => {
      await using backend = await startBackend()
      const config = `limits.idle_timeout = "40s"\nlimits.data_rate_min = ${rate}`
      await using proxy = await startProxy({ backend: backend.address, config })
      const client = await begins(proxy, ...envelope)
      await starts(client)
      client.says('Subject: x')
      await client.hearsNothing({ forMs: 30_000 })
      client.says('\r\nmore')
      await client.hears('421 4.4.2 ', { afterMs: 40_000 })
      await client.isHungUpOn()
      assert.equal(backend.messages.length, 0)
    })
  }

  it('says nothing at all after 354, for as long as a message may be slow: 421, and closed', async () => {
    await using backend = await startBackend()
    const config = 'limits.idle_timeout = "1h"'
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await begins(proxy, ...envelope)
    await starts(client)
    await client.hears('421 4.4.2 ', { afterMs: 3 * minute })
    await client.isHungUpOn()
    assert.equal(backend.messages.length, 0)
  })

  it('is too slow with a message that is refused anyhow: 421, and closed', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await begins(proxy, ...envelope)
    await starts(client)
    client.says(Buffer.from('Subject: x\r\n\r\na\nb\r\n'))
    await client.hears('421 4.4.2 ', { afterMs: 3 * minute })
    await client.isHungUpOn()
  })

  for (const apart of [false, true]) {
    const how = apart ? 'in a packet of its own' : 'in the same packet'
    it(`sends content before DATA is refused, ${how}: nobody takes it for commands`, async () => {
      await using backend = await startBackend({
        replies: (line) => (line === 'DATA' ? 'hang' : undefined),
      })
      await using proxy = await startProxy({ backend: backend.address })
      const client = await begins(proxy, ...envelope)
      const evil = 'MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.net>\r\n.\r\n'
      client.says(Buffer.from(apart ? 'DATA\r\n' : `DATA\r\n${evil}`))
      await settled()
      if (apart) client.says(Buffer.from(evil))
      await settled()
      backend.interject('451 4.3.0 not now\r\n')
      await client.hears('451 4.3.0 not now')
      await client.hears('421 4.7.0 ')
      await client.isHungUpOn()
      assert.ok(!backend.transcript.some((line) => line.includes('victim')))
    })
  }

  it('says QUIT after we have hung up: it has heard that its message was taken', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config:
        'memory.unheard = true\nlimits.connection_age_max = "10m"\nlimits.data_rate_min = 0\nlimits.idle_timeout = "1h"',
    })
    const client = await begins(proxy, ...envelope)
    client.socket.allowHalfOpen = true
    await starts(client)
    client.says('Subject: x')
    await client.hearsNothing({ forMs: 11 * minute })
    client.says('\r\nhello\r\n.')
    await client.hears('250 ')
    await client.hears('421 ')
    client.says('QUIT')
    await settled()
    client.leaves()
    await settled()
    await delivers(proxy)
    assert.equal(backend.messages.length, 2)
  })
})

const reusing = 'backend.reuse = 8'

/** Refuses senders that begin so, and hangs up. */
function refusing(sender: string): (line: string) => Answer | undefined {
  return (line) =>
    line.startsWith(`MAIL FROM:${sender}`) ? { breaksOffAfter: '550 5.7.1 go away\r\n' } : undefined
}

async function begins(proxy: RunningProxy, ...lines: readonly string[]) {
  const client = await proxy.connectFrom('192.0.2.1')
  await client.isGreeted()
  for (const line of lines) {
    client.says(line)
    await client.hears('250 ')
  }
  return client
}

async function starts(client: Awaited<ReturnType<typeof begins>>): Promise<void> {
  client.says('DATA')
  await client.hears('354 ')
}

/** One message of another client, whose conversation is kept. */
async function delivers(proxy: RunningProxy): Promise<void> {
  const client = await begins(proxy, ...envelope)
  await starts(client)
  client.says('Subject: x\r\n\r\nhello\r\n.')
  await client.hears('250 ')
  client.leaves()
  await settled()
}
