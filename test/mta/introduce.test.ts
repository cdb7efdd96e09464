/** Every way to tell a real back end who the client is: its own log names the true address. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startDovecot } from './servers/dovecot.ts'
import { startExim } from './servers/exim.ts'
import type { BackEnd } from './servers/mail-server.ts'
import { startOpensmtpd } from './servers/opensmtpd.ts'
import { startPostfix } from './servers/postfix.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle } from './servers/treacle.ts'

const proxied = { smtpd_upstream_proxy_protocol: 'haproxy' }

const backends: readonly {
  readonly name: string
  readonly start: () => Promise<BackEnd>
  readonly config: string
  /** What its log says of a client at this address. */
  readonly logged: (ip: string) => string
}[] = [
  ...(['proxy-v1', 'proxy-v2'] as const).flatMap((how) => [
    {
      name: `Postfix, ${how}`,
      start: () => startPostfix({ config: proxied }),
      config: `backend.introduce = "${how}"`,
      logged: (ip: string) => `client=unknown[${ip}]`,
    },
    {
      name: `Exim, ${how}`,
      start: () => startExim({ hostsProxy: ['127.0.0.1'] }),
      config: `backend.introduce = "${how}"`,
      logged: (ip: string) => `H=(mail.client.example) [${ip}]`,
    },
    {
      name: `Dovecot LMTP, ${how}`,
      start: () => startDovecot({ proxied: true }),
      config: `backend.protocol = "lmtp"\nbackend.introduce = "${how}"`,
      logged: (ip: string) => `from ${ip}: `,
    },
  ]),
  {
    name: 'OpenSMTPD, proxy-v2',
    start: startOpensmtpd,
    config: 'backend.introduce = "proxy-v2"',
    logged: (ip) => `smtp connected address=${ip.includes(':') ? `[${ip}]` : ip} `,
  },
  {
    name: 'Dovecot LMTP, XCLIENT',
    start: () => startDovecot(),
    config: 'backend.protocol = "lmtp"',
    logged: (ip) => `Disconnect from ${ip}: `,
  },
  {
    name: 'Postfix, XFORWARD',
    start: () => startPostfix({ config: { smtpd_authorized_xforward_hosts: '127.0.0.1' } }),
    config: 'backend.introduce = "xforward"\nbackend.recipient_domains = ["example.net"]',
    logged: (ip) => `orig_client=unknown[${ip}]`,
  },
]

/** Who comes, and who the back end hears it is: a private address might get the trust of a neighbour. */
const clients = [
  ['198.51.100.25', '198.51.100.25'],
  ['2001:db8::25', '2001:db8::25'],
  ['10.1.2.3', '0.0.0.0'],
  ['fd00::1', '::'],
] as const

for (const { name, start, config, logged } of backends) {
  describe(`${name} behind Treacle`, { timeout: 60_000 }, () => {
    it('logs the true client, unless it may be taken for a neighbour, and stores its mail', async () => {
      await using backend = await start()
      await using treacle = await startTreacle({
        config: `
          listen.proxy_protocol_from = ["127.0.0.1"]
          backend.addresses = ["127.0.0.1:${backend.port}"]
          ${config}`,
      })
      for (const [index, [ip, told]] of clients.entries()) {
        using client = await Talk.to(treacle.address, ip)
        await client.opens('mail.client.example')
        assert.equal((await client.gives('user@example.net')).code, 250)
        assert.equal((await client.sends('Subject: hello\n\nhello\n')).code, 250)
        await client.quits()
        await treacle.waitForLedgers(index + 1)
        await backend.waitForMessages('user', index + 1)
        const log = await backend.log()
        assert.ok(log.includes(logged(told)), `no "${logged(told)}" in\n${log}`)
      }
    })
  })
}

describe('Dovecot LMTP', { timeout: 60_000 }, () => {
  it('gets a message for two as two, each with its own answer', async () => {
    await using backend = await startDovecot()
    await using treacle = await startTreacle({
      config: `
        backend.addresses = ["127.0.0.1:${backend.port}"]
        backend.protocol = "lmtp"`,
    })
    await using client = await startPostfix({
      relayhost: `[127.0.0.1]:${treacle.port}`,
      config: { minimal_backoff_time: '1s', queue_run_delay: '1s', maximal_backoff_time: '1s' },
    })
    const to = ['user@example.net', 'other@example.net']
    await client.send({ from: 'a@client.example', to, data: 'Subject: two\n\ntwo\n' })
    await Promise.all(
      ['user', 'other'].map((user) => backend.waitForMessages(user, 1, { timeoutMs: 40_000 })),
    )
    assert.match(await client.log(), /452 4\.5\.3 One recipient for each message/)
    for (const user of ['user', 'other']) {
      assert.equal((await backend.messages(user)).length, 1)
    }
  })
})

describe('a back end that does not expect a PROXY header', { timeout: 60_000 }, () => {
  for (const [name, start] of [
    ['Postfix', () => startPostfix()],
    ['Exim', () => startExim()],
    ['Dovecot', () => startDovecot()],
  ] as const) {
    for (const how of ['proxy-v1', 'proxy-v2'] as const) {
      it(`${name}, ${how}: nobody's mail is refused for good, and none passed on`, async () => {
        await using backend = await start()
        const config = `
          listen.proxy_protocol_from = ["127.0.0.1"]
          backend.addresses = ["127.0.0.1:${backend.port}"]
          backend.introduce = "${how}"
          ${name === 'Dovecot' ? 'backend.protocol = "lmtp"' : ''}`
        // Which of the two it is depends on whether it stays long enough to be asked.
        const started = await startTreacle({ config }).catch((error: Error) => error)
        if (started instanceof Error) {
          return assert.match(started.message, /does not understand PROXY headers/)
        }
        await using treacle = started
        using client = await Talk.to(treacle.address, '198.51.100.25')
        await client.opens('mail.client.example')
        const answer = await client.gives('victim@elsewhere.example')
        assert.match(answer.text, /^451 4\.(4\.1|3\.5) /)
      })
    }
  }
})
