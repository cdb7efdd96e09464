/** A back end that takes so many messages in one connection and no more, behind Treacle, which uses one for many clients. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startExim } from './servers/exim.ts'
import { startOpensmtpd } from './servers/opensmtpd.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle } from './servers/treacle.ts'

/** OpenSMTPD's own limit is 100. */
const servers = [
  {
    name: 'OpenSMTPD',
    count: 103,
    start: () =>
      startOpensmtpd(
        ({ port, maildir }) => `listen on 127.0.0.1 port ${port}
action "store" maildir "${maildir}"
match from any for domain "example.net" action "store"
`,
      ),
  },
  {
    name: 'Exim',
    count: 7,
    start: () => startExim({ config: { smtp_accept_max_per_connection: '3' } }),
  },
]

for (const { name, count, start } of servers) {
  describe(`${name}, which has had enough of a connection`, { timeout: 120_000 }, () => {
    it('takes what clients send all the same, and nobody is put off', async () => {
      await using backend = await start()
      await using treacle = await startTreacle({
        config: `
backend.addresses = ["127.0.0.1:${backend.port}"]
backend.introduce = "none"
backend.recipient_domains = ["example.net"]
greeting.pause = "0s"
greeting.pause_suspect = "0s"
limits.rate_per_address_max = 1000
limits.rate_per_network_max = 1000`,
      })
      const heard: string[] = []
      for (let sent = 0; sent < count; sent += 1) {
        using client = await Talk.to(treacle.address)
        await client.opens()
        heard.push((await client.gives('user@example.net')).text)
        heard.push((await client.sends(`Subject: ${sent}\r\n\r\nhello\r\n`)).text)
        await client.quits()
      }
      assert.deepEqual(
        heard.filter((text) => !text.startsWith('250')),
        [],
      )
      assert.equal((await backend.waitForMessages('user', count)).length, count)
    })
  })
}
