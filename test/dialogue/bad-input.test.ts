/** Whatever a client says: a correct reply, one ledger, nothing lost, nothing leaked. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { settled, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

/** What is said after EHLO, and the beginning of each reply. */
const dialogues: readonly (readonly (readonly [said: string, heard: string])[])[] = [
  [['RCPT TO:<u@example.net>', '503 5.5.1']],
  [['DATA', '503 5.5.1']],
  [
    ['MAIL FROM:<a@b.example>', '250 '],
    ['MAIL FROM:<a@b.example>', '503 5.5.1'],
  ],
  [
    ['MAIL FROM:<a@b.example>', '250 '],
    ['DATA', '503 5.5.1'],
  ],
  [
    ['MAIL FROM:<a@b.example>', '250 '],
    ['RCPT TO:<u@example.net>', '250 '],
    ['DATA now', '501 5.5.4'],
    ['DATA', '354 '],
  ],
  [['MAIL FROM:a@b.example', '501 5.5.4']],
  [['MAIL FROM:<a@b.example', '501 5.5.4']],
  [['MAIL FROM:<@>', '501 5.1.7']],
  [['MAIL FROM:<a\x00b@b.example>', '501 ']],
  [['MAIL FROM:<a@b.example>\x1b[2J', '501 ']],
  [['MAIL FROM:<;sleep 66;@b.example>', '501 ']],
  [['MAIL FROM:<a@b.example> SIZE=99999999999999999999', '552 5.3.4']],
  [['MAIL FROM:<a@b.example> SIZE=-1', '501 ']],
  [['MAIL FROM:<a@b.example> SIZE=1 SIZE=2', '501 ']],
  [['MAIL FROM:<a@b.example> FUTURE=yes', '555 5.5.4']],
  [['MAIL FROM:<a@b.example> BODY=9BIT', '501 ']],
  [
    ['MAIL FROM:<a@b.example>', '250 '],
    ['RCPT TO:<>', '501 5.1.3'],
    ['RCPT TO:<"x@victim.org">', '501 5.1.3'],
  ],
  [
    ['MAIL FROM:<a@b.example>', '250 '],
    ['RCPT TO:<x@elsewhere.example>', '550 5.7.1'],
  ],
  [[' EHLO x', '500 ']],
  [['EHLO', '501 ']],
  [['EHLO two names', '501 ']],
  [['EHLO a\x00b', '501 ']],
  [[`EHLO $${'{run{/bin/id}}'}`, '501 ']],
  [[`EHLO ${'a'.repeat(256)}`, '501 ']],
  [
    ['', '500 '],
    ['', '500 '],
  ],
  [['STARTTLS', '502 ']],
  [['AUTH LOGIN', '502 ']],
  [['XCLIENT ADDR=192.0.2.99', '550 ']],
  [
    ['WIZ', '500 '],
    ['SHELL', '500 '],
    ['KILL', '500 '],
    ['DEBUG', '500 '],
    ['TURN', '502 '],
    ['LHLO x', '500 '],
  ],
  [['VRFY root', '252 ']],
  [
    ['NOOP hello', '250 '],
    ['RSET', '250 '],
  ],
]

describe('bad input', () => {
  it('gets a correct reply, and the session goes on', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    for (const dialogue of dialogues) {
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      for (const [said, heard] of dialogue) {
        client.says(Buffer.from(`${said}\r\n`))
        await client.hears(heard)
      }
      if (dialogue.at(-1)?.[0] !== 'DATA') {
        client.says('NOOP')
        await client.hears('250 ')
      }
      client.leaves()
    }
    await until(() => proxy.ledgers.length === dialogues.length)
  })

  it('MAIL before HELO: 503', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.hears('220 ')
    client.says('MAIL FROM:<a@b.example>')
    await client.hears('503 5.5.1')
  })

  it('a line without end: 421 and closed, long before a megabyte', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    client.says(Buffer.alloc(100_000, 'x'))
    await client.hears('421 ')
    await client.isHungUpOn()
  })

  it('a web browser: closed', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.hears('220 ')
    client.says('POST / HTTP/1.1\r\nHost: mx.example.org\r\n\r\nMAIL FROM:<a@b.example>')
    await client.hears('421 ')
    await client.isHungUpOn()
  })

  it('says nothing: 421 when its time is up', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'limits.idle_timeout = "50ms"',
    })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.hears('220 ')
    await client.hears('421 ', { afterMs: 50 })
    await client.isHungUpOn()
    await until(() => proxy.ledgers.length === 1)
  })

  for (const [what, bytes, heard] of [
    ['a bare LF', 'Subject: x\n\nhello\r\n.\r\n', '550 5.5.2'],
    ['a bare CR', 'Subject: x\r\rhello\r\n.\r\n', '550 5.5.2'],
    [
      'an end of data by bare newlines',
      'hello\n.\nMAIL FROM:<evil@b.example>\r\n.\r\n',
      '550 5.5.2',
    ],
    ['a NUL', 'hello\0\r\n.\r\n', '550 5.6.0'],
    ['101 Received lines', `${'Received: x\r\n'.repeat(101)}\r\nhello\r\n.\r\n`, '554 5.4.6'],
    ['more than limits.size_max', `${`${'x'.repeat(70)}\r\n`.repeat(200)}.\r\n`, '552 5.3.4'],
  ] as const) {
    it(`content with ${what}: ${heard}, and the back end gets no message`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({
        backend: backend.address,
        config: 'limits.size_max = "10KB"',
      })
      const client = await proxy.connectFrom('192.0.2.1')
      await client.isGreeted()
      client.says('MAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>\r\nDATA')
      await client.hears('250 2.1.0')
      await client.hears('250 ')
      await client.hears('354 ')
      client.says(Buffer.from(bytes))
      await client.hears(heard)
      client.says('NOOP')
      await client.hears('250 ')
      assert.equal(backend.messages.length, 0)
    })
  }

  it('leaves after any step: one ledger each, and nothing stays', async () => {
    const steps = [
      'EHLO mail.example.org',
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<u@example.net>',
      'DATA',
      'half',
      '.',
    ]
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address })
    for (let count = 0; count <= steps.length; count += 1) {
      const client = await proxy.connectFrom('192.0.2.1')
      await client.hears('220 ')
      for (const step of steps.slice(0, count)) {
        client.says(step)
        await settled()
      }
      client.leaves()
    }
    await until(() => proxy.ledgers.length === steps.length + 1)
    await until(() => backend.open === 0)
    assert.equal(backend.messages.length, 1)
    assert.equal(proxy.clock.sleeping, proxy.timersAtRest)
  })
})
