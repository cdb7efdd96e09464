/** STARTTLS and AUTH: asked of the back end, and who has logged in never waits. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { settled, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const fixtures = join(import.meta.dirname, '../fixtures')
const tls = `
tls.certificate = "${fixtures}/mx.example.org.crt"
tls.key = "${fixtures}/mx.example.org.key"
smtp.auth = "relay"
`
const secret = (user: string, password: string) =>
  Buffer.from(`\0${user}\0${password}`).toString('base64')

it('offers AUTH under TLS only, and spares who has logged in the delay', async () => {
  await using backend = await startBackend({
    ehlo: ['AUTH PLAIN LOGIN', 'XCLIENT NAME ADDR LOGIN'],
    replies: (line) => {
      if (!line.startsWith('AUTH')) return undefined
      return line.endsWith(secret('alice', 'right'))
        ? '235 2.7.0 welcome back\r\n'
        : '535 5.7.8 I think not\r\n'
    },
  })
  await using proxy = await startProxy({ backend: backend.address, config: tls })
  const plain = await proxy.connectFrom('192.0.2.1')
  await plain.hears('220 ')
  plain.says('EHLO printer')
  assert.doesNotMatch(await plain.hears('250-'), /AUTH/)
  plain.says(`AUTH PLAIN ${secret('alice', 'right')}`)
  await plain.hears('538 ')
  plain.says('STARTTLS')
  await plain.hears('220 ')

  const client = plain
  await client.startsTls()
  client.says('EHLO printer')
  const offer = await client.hears('250-')
  assert.match(offer, /AUTH PLAIN LOGIN/)
  assert.doesNotMatch(offer, /STARTTLS/)
  client.says(`AUTH PLAIN ${secret('alice', 'wrong')}`)
  await client.hears('535 5.7.8 I think not')
  client.says('AUTH LOGIN')
  await client.hears('334 ')
  client.says(Buffer.from('alice').toString('base64'))
  await client.hears('334 ')
  client.says(Buffer.from('right').toString('base64'))
  await client.hears('235 2.7.0 welcome back', { afterMs: 1_000 })
  client.says('MAIL FROM:<alice@example.net>')
  await client.hears('250 ')
  client.says('RCPT TO:<u@example.net>')
  await client.hears('250 ')
  client.says('DATA')
  await client.hears('354 ')
  client.says('hello\r\n.')
  await client.hears('250 ')
  client.leaves()
  await settled()

  const text = backend.messages[0]?.toString() ?? ''
  assert.match(text, /^Received: from printer .*\r\n\t.* with ESMTPSA id /)
  assert.doesNotMatch(text, /X-HELO-warning/)
  const ledger = await proxy.ledger()
  assert.equal(ledger.login, 'alice')
  assert.equal(ledger.outcome, 'accepted')
  assert.doesNotMatch(JSON.stringify(proxy.events), /right|wrong/, 'no password in any event')
})

it('forgets what was said before STARTTLS, and runs nothing that came with it in the clear', async () => {
  await using backend = await startBackend()
  await using proxy = await startProxy({ backend: backend.address, config: tls })
  const plain = await proxy.connectFrom('192.0.2.1')
  await plain.isGreeted()
  plain.says('MAIL FROM:<a@b.example>')
  await plain.hears('250 ')
  plain.says('STARTTLS\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<u@example.net>')
  await plain.hears('220 ')
  const client = plain
  await client.startsTls()
  client.says('RCPT TO:<u@example.net>')
  await client.hears('503 ')
  client.says('EHLO mail.example.org')
  await client.hears('250-')
  client.says('RCPT TO:<u@example.net>')
  await client.hears('503 ')
  client.leaves()
})

const next = [
  {
    ehlo: 'XCLIENT ADDR LOGIN',
    heard: '250 ',
    because: 'the back end takes our word for the login',
  },
  { ehlo: 'XCLIENT ADDR', heard: '421 4.4.2 ', because: 'so that it logs in again by itself' },
]
for (const { ehlo, heard, because } of next) {
  it(`after a message that we broke off, the next hears ${heard}where ${ehlo} is offered: ${because}`, async () => {
    await using backend = await startBackend({
      ehlo: ['AUTH PLAIN', ehlo],
      replies: (line) => (line.startsWith('AUTH') ? '235 2.7.0 welcome' : undefined),
    })
    await using proxy = await startProxy({
      backend: backend.address,
      config: `${tls}limits.size_max = "1KB"`,
    })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says('STARTTLS')
    await client.hears('220 ')
    await client.startsTls()
    client.says('EHLO printer')
    await client.hears('250-')
    client.says(`AUTH PLAIN ${secret('alice', 'right')}`)
    await client.hears('235 ')
    const begins = async (last: string) => {
      client.says('MAIL FROM:<alice@example.net>')
      await client.hears('250 ')
      client.says('RCPT TO:<u@example.net>')
      await client.hears(last)
    }
    await begins('250 ')
    client.says('DATA')
    await client.hears('354 ')
    client.says(`${'x'.repeat(70)}\r\n`.repeat(100))
    client.says('.')
    await client.hears('552 ')
    await begins(heard)
    if (heard.startsWith('421')) await client.isHungUpOn()
    else assert.ok(backend.transcript.some((line) => line.endsWith(' LOGIN=alice')))
    client.leaves()
    await until(() => proxy.app.connectionCount === 0)
    assert.equal(backend.messages.length, 0)
  })
}
