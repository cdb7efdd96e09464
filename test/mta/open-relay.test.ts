/**
 * Real mail servers that relay for 127.0.0.1 and route by the local part, as Postfix and Sendmail do
 * unless told otherwise: whoever speaks to them through Treacle gets nothing sent on.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startBackend } from '../helpers/scripted-backend.ts'
import type { BackEnd } from './servers/mail-server.ts'
import { startPostfix } from './servers/postfix.ts'
import { startSendmail } from './servers/sendmail.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle } from './servers/treacle.ts'

/** All of them name victim@evil.example to a server that routes. */
const routed = [
  '<victim%evil.example@example.net>',
  '<evil.example!victim@example.net>',
  '<"victim@evil.example"@example.net>',
  '<"victim%evil.example"@example.net>',
  '<"evil.example!victim"@example.net>',
]
/** Some servers route these, too. */
const relatives = [
  '<victim@evil.example>',
  '<@example.net:victim@evil.example>',
  '<"@evil.example:victim"@example.net>',
  '<"victim\\@evil.example"@example.net>',
  '<victim%evil.example%example.net@example.net>',
  '<evil.example!example.net!victim@example.net>',
]

const servers = [
  {
    name: 'Postfix',
    start: (smartHost: number): Promise<BackEnd> =>
      startPostfix({
        domains: ['example.net'],
        relayhost: `[127.0.0.1]:${smartHost}`,
        config: {
          mynetworks: '127.0.0.0/8',
          mydestination: 'example.net',
          virtual_mailbox_domains: '',
          virtual_mailbox_maps: '',
          local_recipient_maps: '',
          smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
        },
      }),
  },
  {
    name: 'Sendmail',
    start: (smartHost: number): Promise<BackEnd> =>
      startSendmail(
        (port) => `FEATURE(\`no_default_msa')dnl
DAEMON_OPTIONS(\`Name=MTA, Addr=127.0.0.1, Port=${port}')dnl
define(\`SMART_HOST', \`relay:[127.0.0.1]')dnl
define(\`RELAY_MAILER_ARGS', \`TCP [127.0.0.1] ${smartHost}')dnl`,
      ),
  },
]

for (const { name, start } of servers) {
  describe(`${name}, which trusts us and routes by the local part`, { timeout: 60_000 }, () => {
    it('sends on what Treacle itself says, and nothing that comes through Treacle', async () => {
      await using smartHost = await startBackend()
      await using backend = await start(smartHost.port)
      for (const recipient of routed) {
        using friend = await Talk.to(`127.0.0.1:${backend.port}`)
        await friend.opens()
        assert.equal(await gives(friend, recipient), 250, `${recipient}: the hole is there`)
        assert.equal((await friend.sends('Subject: relay\r\n\r\nhello\r\n')).code, 250)
        await smartHost.heard(/^RCPT TO:<victim@evil\.example>/i)
        await friend.quits()
      }
      const sent = () => smartHost.transcript.filter((line) => /^RCPT.*evil/i.test(line)).length
      await using treacle = await startTreacle({
        config: `
backend.addresses = ["127.0.0.1:${backend.port}"]
backend.introduce = "none"
backend.recipient_domains = ["example.net"]`,
      })
      const before = sent()
      for (const recipient of [...routed, ...relatives]) {
        using stranger = await Talk.to(treacle.address)
        await stranger.opens()
        assert.equal(await gives(stranger, recipient), 550, recipient)
      }
      assert.equal(sent(), before)
    })
  })
}

async function gives(client: Talk, recipient: string): Promise<number> {
  assert.equal((await client.asks('MAIL FROM:<spammer@example.com>')).code, 250)
  return (await client.asks(`RCPT TO:${recipient}`)).code
}
