/** STARTTLS and AUTH: asked of the back end, and who has logged in never waits. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { settled, startProxy } from '../helpers/proxy.ts'
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
