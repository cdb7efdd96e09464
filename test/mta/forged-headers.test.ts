/** What real servers read as a header field of ours, of all that a client can write: nothing. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startDovecot } from './servers/dovecot.ts'
import { startExim } from './servers/exim.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle } from './servers/treacle.ts'

/** Lines that end a header for some servers and not for others, or hide a name from some. */
const tricks = [
  'Subject: nothing special',
  ' in the body',
  'A\v: b',
  'A\f: b',
  ': b',
  'A\r\n : b',
  'hello text',
  'A B: c',
  'From alice\r\nFrom bob',
  'Subject: a\r\nFrom alice',
  'A\x01: b',
  'A\x7f: b',
  'Subject: a\r\n ',
  'X-Treacle-Test\v: FORGED',
  'X-Treacle-Test\f: FORGED',
  'X-Treacle-Test\r\n : FORGED',
]
const servers = [
  {
    name: 'Exim',
    protocol: 'smtp',
    start: () =>
      startExim({
        extra: { data: ['warn add_header = X-Seen: <$h_x-treacle-test:$h_x-helo-warning:>'] },
      }),
  },
  { name: 'Dovecot', protocol: 'lmtp', start: () => startDovecot({ users: ['user'] }) },
]

for (const { name, protocol, start } of servers) {
  describe(`headers of ours that a client forges, at ${name}`, { timeout: 60_000 }, () => {
    it('are not there, whatever stands above them or within', async () => {
      await using backend = await start()
      await using treacle = await startTreacle({
        config: `
backend.addresses = ["127.0.0.1:${backend.port}"]
backend.protocol = "${protocol}"
backend.introduce = "none"
backend.recipient_domains = ["example.net"]`,
      })
      using client = await Talk.to(treacle.address)
      await client.opens()
      for (const trick of tricks) {
        assert.equal((await client.gives('user@example.net')).code, 250)
        const forged = 'X-Treacle-Test: FORGED\r\n there\r\nX-HELO-warning: FORGED\r\n'
        assert.equal((await client.sends(`${trick}\r\n${forged}\r\nbody\r\n`)).code, 250)
      }
      const messages = await backend.waitForMessages('user', tricks.length)
      for (const message of messages) {
        const [header = ''] = message.toString('latin1').split(/\r?\n\r?\n/)
        assert.doesNotMatch(header, /FORGED|in the body/)
        if (name === 'Exim') assert.match(message.toString('latin1'), /^X-Seen: <>$/m)
      }
    })
  })
}
