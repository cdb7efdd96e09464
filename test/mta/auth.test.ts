/** Logins that a real Postfix verifies, with a Dovecot that knows the password, through Treacle. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { startDovecot } from './servers/dovecot.ts'
import { startPostfix } from './servers/postfix.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle, type Treacle } from './servers/treacle.ts'

const plain = (password: string) =>
  `AUTH PLAIN ${Buffer.from(`\0alice\0${password}`).toString('base64')}`

describe('a login that Postfix verifies', { timeout: 120_000 }, () => {
  const stack = new AsyncDisposableStack()
  let treacle: Treacle
  before(async () => {
    const dovecot = stack.use(
      await startDovecot({
        password: 'right',
        lines: (port) =>
          `service auth {\n  inet_listener {\n    address = 127.0.0.1\n    port = ${port}\n  }\n}\n`,
      }),
    )
    const backend = stack.use(
      await startPostfix({
        xclient: true,
        config: {
          smtpd_sasl_auth_enable: 'yes',
          smtpd_sasl_type: 'dovecot',
          smtpd_sasl_path: `inet:127.0.0.1:${dovecot.port}`,
          smtpd_relay_restrictions: 'permit_sasl_authenticated, reject_unauth_destination',
        },
      }),
    )
    treacle = stack.use(
      await startTreacle({
        config: `
          backend.addresses = ["127.0.0.1:${backend.port}"]
          listen.tls_addresses = ["127.0.0.1:0"]
          tls.self_signed = true
          smtp.auth = "relay"
          delay.target = ["60s", "60s"]
          limits.size_max = "2KB"`,
      }),
    )
  })
  after(() => stack.disposeAsync())

  async function opens(): Promise<Talk> {
    const [, tls] = await treacle.waitForEvents('server.listening', 2)
    const port = Number(String(tls?.address).split(':').at(-1))
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const client = new Talk(socket)
    assert.match((await client.opens('printer')).text, /^250.AUTH PLAIN LOGIN$/m)
    return client
  }

  it('lets nobody relay who has not logged in, in the words of Postfix', async () => {
    using client = await opens()
    const wrong = await client.asks(plain('wrong'))
    assert.match(wrong.text, /^535 5\.7\.8 Error: authentication failed/)
    const second = await client.asks(plain('right'))
    assert.equal(second.code, 235, second.text)
    assert.ok(second.tookMs >= 1_000, 'after a failure it waits')
    await client.quits()
  })

  it('lets who has logged in relay at once, and again after a message that we broke off', async () => {
    using client = await opens()
    assert.match((await client.asks(plain('right'))).text, /^235 2\.7\.0 Authentication successful/)
    const first = await client.gives('friend@elsewhere.example')
    assert.equal(first.code, 250, first.text)
    assert.ok(first.tookMs < 20_000, 'nobody waits who has logged in')
    assert.equal(
      (await client.sends(`Subject: large\n\n${'x'.repeat(70)}\n`.repeat(100))).code,
      552,
    )
    // The conversation that it had logged in to is gone; Postfix takes our word for who it is.
    const next = await client.gives('friend@elsewhere.example')
    assert.equal(next.code, 250, next.text)
    await client.quits()
  })
})
