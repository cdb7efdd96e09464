/** One client after another on one conversation with the back end, where it is not told who they are. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type RunningProxy, type ScriptClient, startProxy } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const config = 'backend.reuse = 8'

describe('a conversation that has done its work', () => {
  it('serves the next client, after RSET', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    await sendsOne(proxy, '192.0.2.1')
    await sendsOne(proxy, '192.0.2.2')
    assert.equal(backend.messages.length, 2)
    // The first connection is the one in which we asked what the back end offers.
    assert.equal(backend.connections, 2)
    const verbs = backend.dialogues[1]?.map((line) => line.split(/[ :]/)[0])
    const message = ['MAIL', 'RCPT', 'DATA']
    assert.deepEqual(verbs, ['EHLO', ...message, 'RSET', ...message])
    assert.match(backend.messages[1]?.toString() ?? '', /\[192\.0\.2\.2\]/)
  })

  it('serves the next client under TLS, too, where nobody else can listen', async () => {
    await using backend = await startBackend()
    const selfSigned = `${config}\ntls.self_signed = true`
    await using proxy = await startProxy({ backend: backend.address, config: selfSigned })
    await sendsOne(proxy, '192.0.2.1')
    for (const from of ['192.0.2.2', '192.0.2.3']) {
      const client = await proxy.connectFrom(from)
      await client.isGreeted()
      client.says('STARTTLS')
      await client.hears('220 ')
      await client.startsTls()
      client.says('EHLO mail.example.org')
      await client.hears('250-')
      await sends(client)
    }
    assert.equal(backend.messages.length, 3)
    assert.equal(backend.connections, 2)
  })

  it('is ended after two seconds', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    await sendsOne(proxy, '192.0.2.1')
    await proxy.clock.advance(1_999)
    assert.equal(backend.open, 1)
    await proxy.clock.advance(1)
    await backend.closed()
    await sendsOne(proxy, '192.0.2.2')
    assert.equal(backend.connections, 3)
  })

  it('costs nobody a reply when it has died meanwhile', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    await sendsOne(proxy, '192.0.2.1')
    backend.cut()
    await sendsOne(proxy, '192.0.2.2')
    assert.equal(backend.messages.length, 2)
  })

  it('costs nobody a reply when it refuses RSET', async () => {
    await using backend = await startBackend({
      replies: (line) => (line === 'RSET' ? '421 4.7.0 enough' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    await sendsOne(proxy, '192.0.2.1')
    await sendsOne(proxy, '192.0.2.2')
    assert.equal(backend.messages.length, 2)
    assert.equal(backend.connections, 3)
  })

  for (const [verb, refusal] of [
    ['MAIL', '452 4.5.3 Too many messages sent'],
    ['MAIL', '421 4.7.0 Too many messages in one connection'],
    ['DATA', '451 4.4.5 Maximum number of messages per session exceeded'],
  ] as const) {
    it(`costs nobody a message when it has carried all it may: ${refusal} to ${verb}`, async () => {
      const taken: number[] = []
      await using backend = await startBackend({
        replies: (line, connection) => {
          const count = taken[connection] ?? 0
          if (line === '.') taken[connection] = count + 1
          return count === 2 && line.startsWith(verb) ? refusal : undefined
        },
      })
      await using proxy = await startProxy({ backend: backend.address, config })
      for (let last = 1; last <= 5; last += 1) await sendsOne(proxy, `192.0.2.${last}`)
      const client = await proxy.connectFrom('192.0.2.9')
      await client.isGreeted()
      for (let count = 0; count < 5; count += 1) await givesOne(client)
      client.says('QUIT')
      await client.hears('221 ')
      assert.equal(backend.messages.length, 10)
      assert.deepEqual(
        taken.filter((count) => count > 0),
        [2, 2, 2, 2, 2],
      )
    })
  }

  it('is given up for one that is new, and once: what that says is the answer', async () => {
    await using backend = await startBackend({
      replies: (line) => (line.startsWith('MAIL FROM:<slow') ? '451 4.1.8 try later' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    await sendsOne(proxy, '192.0.2.1')
    const client = await proxy.connectFrom('192.0.2.2')
    await client.isGreeted()
    client.says('MAIL FROM:<slow@example.org>\r\nRCPT TO:<b@example.net>')
    await client.hears('250 ')
    await client.hears('451 4.1.8')
    assert.equal(backend.connections, 3)
    client.says('QUIT')
    await client.hears('221 ')
  })

  it('is not kept when the last message was refused, as a back end may count what it refuses', async () => {
    await using backend = await startBackend({
      replies: (line) => (line === '.' ? '554 5.7.1 no' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    await sendsOne(proxy, '192.0.2.1', '554 ')
    await backend.closed()
  })

  it('is not kept when nothing was sent in it', async () => {
    await using backend = await startBackend({
      replies: (line) => (line.startsWith('RCPT') ? '550 5.1.1 nobody' : undefined),
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says('MAIL FROM:<a@example.org>')
    await client.hears('250 ')
    client.says('RCPT TO:<b@example.net>')
    await client.hears('550 ')
    client.says('RSET')
    await client.hears('250 ')
    client.says('QUIT')
    await client.hears('221 ')
    await backend.closed()
  })

  it('is not kept when the client left in the middle of a message', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says('MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>')
    await client.hears('250 ')
    await client.hears('250 ')
    client.leaves()
    await backend.closed()
  })

  it('is not kept when the back end was told who the client is', async () => {
    await using backend = await startBackend({
      ehlo: ['XCLIENT NAME ADDR PORT PROTO HELO'],
    })
    await using proxy = await startProxy({ backend: backend.address, config })
    await sendsOne(proxy, '192.0.2.1')
    await backend.closed()
  })

  it('is not kept with backend.reuse = 0', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'backend.reuse = 0',
    })
    await sendsOne(proxy, '192.0.2.1')
    await backend.closed()
  })
})

async function sendsOne(proxy: RunningProxy, from: string, answer = '250 '): Promise<void> {
  const client = await proxy.connectFrom(from)
  await client.isGreeted()
  await sends(client, answer)
}

async function sends(client: ScriptClient, answer = '250 '): Promise<void> {
  await givesOne(client, answer)
  client.says('QUIT')
  await client.hears('221 ')
  await client.isHungUpOn()
}

async function givesOne(client: ScriptClient, answer = '250 '): Promise<void> {
  const ask = ['MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.net>']
  for (const line of ask) {
    client.says(line)
    await client.hears('250 ')
  }
  client.says('DATA')
  await client.hears('354 ')
  client.says('Subject: x\r\n\r\nhello\r\n.')
  await client.hears(answer)
}
