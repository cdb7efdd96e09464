/** The harness of real servers: each of them starts, does its work, and is gone afterwards. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { startExim } from './servers/exim.ts'
import { bodyOf, type MailServer } from './servers/mail-server.ts'
import { startPostfix } from './servers/postfix.ts'
import { run, waitUntil } from './servers/process.ts'
import { isAlive } from './servers/session.ts'
import { swaks } from './servers/swaks.ts'

/** Dots, white space, eight bits, a long line. */
const BODY = [
  '.',
  '..dots',
  'From the start',
  ' trailing space \t',
  'grüße',
  'x'.repeat(900),
  '',
  'end',
]
const MESSAGE = `From: a@example.org\nSubject: test\n\n${BODY.join('\n')}`

const ownTmpdir = await useOwnTmpdir()
after(() => rm(ownTmpdir, { recursive: true }))

const mailServers: readonly { name: string; start: () => Promise<MailServer> }[] = [
  { name: 'Postfix', start: () => startPostfix({ users: ['user', 'other'] }) },
  { name: 'Exim', start: () => startExim({ users: ['user', 'other'] }) },
]

for (const { name, start } of mailServers) {
  describe(name, { timeout: 60_000 }, () => {
    it('delivers what swaks sends, byte by byte', async () => {
      await using server = await start()
      const sent = await swaks([...to(server, 'user@example.net'), '--data', MESSAGE])
      assert.equal(sent.code, 0, sent.output)

      const [message] = await server.waitForMessages('user', 1)
      assert.equal(bodyOf(message ?? Buffer.alloc(0)).toString(), `${BODY.join('\n')}\n`)
      assert.deepEqual(await server.messages('other'), [])
    })

    it('refuses users it does not know, and relaying', async () => {
      await using server = await start()
      const unknown = await swaks(to(server, 'nobody@example.net'))
      assert.notEqual(unknown.code, 0)
      assert.match(unknown.output, /550 5\.1\.1 .*User unknown/)

      const relay = await swaks(to(server, 'user@example.com'))
      assert.match(relay.output, /5\.7\.1 .*Relay access denied/)
    })

    it('throws, with its log, when mail does not come', async () => {
      await using server = await start()
      const wait = server.waitForMessages('user', 1, { timeoutMs: 50 })
      await assert.rejects(wait, /1 messages for user, got 0.*daemon started/s)
    })

    it('is gone after stop, with all its processes and its folder', async () => {
      const server = await start()
      await swaks(to(server, 'user@example.net'))
      const pids = server.pids()
      assert.ok(pids.includes(server.pid))
      assert.ok(pids.every(isAlive))
      const log = await server.log()

      await server.stop()
      await server.stop()
      assert.deepEqual(pids.filter(isAlive), [])
      assert.ok((await server.log()).startsWith(log))
      assert.deepEqual(await readdir(ownTmpdir), [])
    })

    it('runs more than once at a time', async () => {
      await using one = await start()
      await using two = await start()
      assert.notEqual(one.port, two.port)
      await Promise.all([one, two].map((server) => swaks(to(server, 'other@example.net'))))
      await Promise.all([one, two].map((server) => server.waitForMessages('other', 1)))
    })
  })
}

describe('Postfix with xclient', { timeout: 60_000 }, () => {
  for (const { address, logged } of [
    { address: '192.0.2.7', logged: /client=mail\.example\.org\[192\.0\.2\.7\]/ },
    { address: 'IPV6:2001:db8::7', logged: /client=mail\.example\.org\[2001:db8::7\]/ },
  ]) {
    it(`logs the client it is told about: ${address}`, async () => {
      await using server = await startPostfix({ xclient: true })
      const client = `NAME=mail.example.org ADDR=${address}`
      const sent = await swaks([...to(server, 'user@example.net'), '--xclient', client])
      assert.equal(sent.code, 0, sent.output)
      await server.waitForMessages('user', 1)
      assert.match(await server.log(), logged)
    })
  }

  it('is not offered otherwise', async () => {
    await using server = await startPostfix()
    assert.doesNotMatch((await swaks(to(server, 'user@example.net'))).output, /XCLIENT/)
  })
})

describe('Exim with hostsProxy', { timeout: 60_000 }, () => {
  it('logs the client it is told about', async () => {
    await using server = await startExim({ hostsProxy: ['127.0.0.1'] })
    const proxy = ['--proxy', 'TCP4 192.0.2.7 192.0.2.8 4444 25']
    const sent = await swaks([...to(server, 'user@example.net'), ...proxy])
    assert.equal(sent.code, 0, sent.output)
    assert.match(await server.log(), /<= a@example\.org H=.*\[192\.0\.2\.7\]/)
  })

  it('takes more rules', async () => {
    const extra = { mail: ['deny senders = a@example.org', 'message = 550 5.7.1 Not you'] }
    await using server = await startExim({ extra })
    assert.match((await swaks(to(server, 'user@example.net'))).output, /550 5\.7\.1 Not you/)
  })
})

describe('a client that queues', { timeout: 60_000 }, () => {
  for (const [name, start] of [
    ['Postfix', startPostfix],
    ['Exim', startExim],
  ] as const) {
    it(`${name} sends to its relay host`, async () => {
      await using server = await startPostfix({ users: ['one', 'two'] })
      await using client = await start({ relayhost: `[127.0.0.1]:${server.port}` })
      const recipients = ['one@example.net', 'two@example.net']
      await client.send({ from: 'a@example.org', to: recipients, data: MESSAGE })

      for (const user of ['one', 'two']) {
        const [message] = await server.waitForMessages(user, 1)
        assert.equal(bodyOf(message ?? Buffer.alloc(0)).toString(), `${BODY.join('\n')}\n`)
      }
    })

    it(`${name} keeps what is deferred and tries again when asked`, async () => {
      await using server = await startPostfix({
        config: {
          smtpd_recipient_restrictions: 'check_sender_access inline:{a@example.org=DEFER}',
        },
      })
      await using client = await start({ relayhost: `[127.0.0.1]:${server.port}` })
      const count = async () => (await server.log()).split('NOQUEUE: reject').length - 1
      await client.send({ from: 'a@example.org', to: 'user@example.net', data: MESSAGE })
      const limit = { timeoutMs: 10_000, what: () => client.log() }
      await waitUntil(async () => (await count()) === 1, limit)
      await waitUntil(async () => {
        await client.flush()
        return (await count()) > 1
      }, limit)
    })
  }
})

describe('swaks', { timeout: 60_000 }, () => {
  it('reports what could not be sent', async () => {
    const refused = await swaks(['--server', '127.0.0.1:1', '--to', 'a@example.net'])
    assert.notEqual(refused.code, 0)
    assert.match(refused.output, /refused/i)
  })

  it('ends at its time limit', async () => {
    await using silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const args = ['--server', `127.0.0.1:${port}`, '--to', 'a@example.net']
    const late = await swaks(args, { timeoutMs: 500 })
    assert.equal(late.code, null)
    assert.match(late.output, /Connected/)
  })
})

describe('a test process that leaves early', { timeout: 60_000 }, () => {
  for (const how of ["process.kill(process.pid, 'SIGTERM')", "throw new Error('test')", '']) {
    it(`takes its servers with it: ${how || 'nothing left to do'}`, async () => {
      const program = `
        const servers = await Promise.all([
          (await import('./test/mta/servers/postfix.ts')).startPostfix(),
          (await import('./test/mta/servers/exim.ts')).startExim(),
        ])
        console.log('pids', ...servers.flatMap((server) => server.pids()))
        ${how}`
      const args = ['--input-type=module', '--eval', program]
      const cwd = join(import.meta.dirname, '../..')
      const { output } = await run(process.execPath, args, { timeoutMs: 20_000, cwd })
      const pids = /^pids (.*)/m.exec(output)?.[1]?.split(' ').map(Number) ?? []
      assert.ok(pids.length > 2, output)
      assert.deepEqual(pids.filter(isAlive), [])
      assert.deepEqual(await readdir(ownTmpdir), [])
    })
  }
})

it('a server that cannot start says why and leaves nothing behind', async () => {
  await assert.rejects(startPostfix({ config: { inet_protocols: 'pigeon' } }), /pigeon/)
  await assert.rejects(startExim({ config: { no_such_option: 'x' } }), /no_such_option/)
  assert.deepEqual(await readdir(ownTmpdir), [])
})

function to(server: MailServer, recipient: string): string[] {
  const addresses = ['--from', 'a@example.org', '--to', recipient, '--helo', 'client.example.org']
  return ['--server', `127.0.0.1:${server.port}`, ...addresses]
}

/** A place for temporary folders that only this file uses, to see what is left there. */
async function useOwnTmpdir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'treacle-servers-test-'))
  await chmod(folder, 0o755)
  process.env.TMPDIR = folder
  return folder
}
