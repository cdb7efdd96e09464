/** A client that gives no reasons: served at once, in the words of the back end. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startProxy } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

it('serves a clean client at once and repeats what the back end says', async () => {
  await using backend = await startBackend({
    replies: (line) => {
      if (line.startsWith('RCPT')) return '250-2.1.5 well\r\n250 2.1.5 do come in\r\n'
      return line === '.' ? '250 2.6.0 queued as 4711\r\n' : undefined
    },
  })
  await using proxy = await startProxy({ backend: backend.address })
  const client = await proxy.connectFrom('192.0.2.1')

  await client.isGreeted('Mail.Example.ORG')
  client.says('MAIL FROM:<Alice@example.org> SIZE=100')
  await client.hears('250 2.1.0 ')
  client.says('RCPT TO:<Bob@example.net>')
  await client.hears('250-2.1.5 well\n250 2.1.5 do come in')
  client.says('DATA')
  await client.hears('354 ')
  client.says('Subject: hello')
  client.says('')
  client.says('..a line that began with a dot')
  client.says('.')
  await client.hears('250 2.6.0 queued as 4711')
  client.says('QUIT')
  await client.hears('221 ')
  await client.isHungUpOn()

  assert.match(
    backend.messages[0]?.toString() ?? '',
    /^Received: from Mail\.Example\.ORG \(\[192\.0\.2\.1\]\)\r\n\tby mx\.example\.org \(Treacle\) with ESMTP id [0-9a-f]+\r\n\tfor <Bob@example\.net>;\r\n\t\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\nSubject: hello\r\n\r\n\.\.a line that began with a dot\r\n$/,
  )
  const ledger = await proxy.ledger()
  assert.equal(ledger.outcome, 'accepted')
  assert.equal(ledger.helo, 'Mail.Example.ORG')
  assert.deepEqual(ledger.transactions[0]?.recipients, [
    { address: 'Bob@example.net', reply: '250 2.1.5 well / do come in' },
  ])
})

it('passes refusals through with code and words, and never says 250 for the back end', async () => {
  await using backend = await startBackend({
    replies: (line) => {
      if (line.includes('nobody')) return '550-5.1.1 There is\r\n550 5.1.1 no such person\r\n'
      if (line.includes('later')) return '451 not in the mood\r\n'
      return line === '.' ? '554 5.7.1 I have read it and do not want it\r\n' : undefined
    },
  })
  await using proxy = await startProxy({ backend: backend.address })
  const client = await proxy.connectFrom('192.0.2.1')

  await client.isGreeted()
  client.says('MAIL FROM:<alice@example.org>')
  await client.hears('250 ')
  client.says('RCPT TO:<nobody@example.net>')
  await client.hears('550-5.1.1 There is\n550 5.1.1 no such person')
  client.says('RCPT TO:<later@example.net>')
  await client.hears('451 not in the mood')
  client.says('DATA')
  await client.hears('554 5.5.1 No valid recipients')
  client.says('MAIL FROM:<alice@example.org>')
  await client.hears('250 ')
  client.says('RCPT TO:<bob@example.net>')
  await client.hears('250 ')
  client.says('DATA')
  await client.hears('354 ')
  client.says('\r\nhello\r\n.')
  await client.hears('554 5.7.1 I have read it and do not want it')
  client.leaves()

  assert.equal((await proxy.ledger()).outcome, 'refused')
})

it('answers a pipelined group in order, several messages in one connection', async () => {
  await using backend = await startBackend({
    replies: (line) => (line.includes('two@') ? '550 5.1.1 no two\r\n' : undefined),
  })
  await using proxy = await startProxy({ backend: backend.address })
  const client = await proxy.connectFrom('192.0.2.1')

  await client.isGreeted()
  const group = ['one', 'two', 'three'].map((name) => `RCPT TO:<${name}@example.net>\r\n`).join('')
  for (const round of [1, 2]) {
    client.says(`MAIL FROM:<alice${round}@example.org>\r\n${group}DATA`)
    await client.hears('250 2.1.0')
    await client.hears('250')
    await client.hears('550 5.1.1 no two')
    await client.hears('250')
    await client.hears('354')
    client.says(`message ${round}\r\n.`)
    await client.hears('250')
  }
  assert.equal(backend.connections, 2, 'one asks what it offers, one carries both messages')
  assert.equal(backend.messages.length, 2)
})

it('offers only what the back end offers as well', async () => {
  await using backend = await startBackend({
    ehlo: ['SIZE 1000', '8BITMIME', 'DSN', 'CHUNKING', 'PIPECONNECT', 'VRFY', 'STARTTLS-NOT'],
  })
  await using proxy = await startProxy({ backend: backend.address })
  const client = await proxy.connectFrom('192.0.2.1')

  await client.hears('220 ')
  client.says('EHLO mail.example.org')
  const offer = await client.hears('250-')
  assert.deepEqual(
    offer
      .split('\n')
      .slice(1)
      .map((line) => line.slice(4)),
    ['PIPELINING', 'SIZE 1000', '8BITMIME', 'DSN'],
  )
  client.says('MAIL FROM:<a@example.org> SMTPUTF8')
  await client.hears('555 5.5.4 SMTPUTF8')
  client.says('MAIL FROM:<a@example.org> BODY=8BITMIME RET=HDRS ENVID=QQ+2B1 SIZE=900')
  await client.hears('250 ')
  client.says('RCPT TO:<b@example.net> NOTIFY=success,FAILURE ORCPT=rfc822;b+2Bx@example.net')
  await client.hears('250 ')
  assert.deepEqual(backend.transcript.slice(-2), [
    'MAIL FROM:<a@example.org> SIZE=900 BODY=8BITMIME RET=HDRS ENVID=QQ+2B1',
    'RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bx@example.net',
  ])
})
