/** The recipes of docs/recipes, as written, with the real programs; only places are put in. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { blockOf } from '../docs/blocks.ts'
import { startDovecot } from './servers/dovecot.ts'
import { startExim } from './servers/exim.ts'
import { startHaraka } from './servers/haraka.ts'
import type { BackEnd } from './servers/mail-server.ts'
import { startOpensmtpd } from './servers/opensmtpd.ts'
import { freePort } from './servers/place.ts'
import { startPostfix } from './servers/postfix.ts'
import { startSendmail } from './servers/sendmail.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle } from './servers/treacle.ts'

describe('recipes', () => {
  it('Postfix: takes mail for its domain, knows the client, relays for nobody', async () => {
    const page = 'recipes/postfix.md'
    const port = await freePort()
    await using backend = await startPostfix({
      config: settingsIn(blockOf(page, 'main.cf')),
      master: [placed(blockOf(page, 'master.cf'), port)],
    })
    await passesMail(page, { backend, port })
    const log = await backend.log()
    assert.match(log, /client=unknown\[192\.0\.2\.77\]/, 'XCLIENT names the client')
  })

  it('docker-mailserver: the same with postscreen in front, which lets everybody pass', async () => {
    const port = await freePort()
    await using backend = await startPostfix({
      config: settingsIn(
        blockOf('recipes/docker-mailserver.md', 'main.cf').replace('172.31.25.2', '127.0.0.1'),
      ),
      master: [`127.0.0.1:${port} inet n - n - 1 postscreen`, 'smtpd pass - - n - - smtpd'],
    })
    // What the image is told by its environment, and what it has of its own.
    await passesMail('recipes/postfix.md', { backend, port })
    const log = await backend.log()
    assert.match(log, /postscreen\[\d+\]: (?:ALLOWLISTED|WHITELISTED) /)
    assert.match(log, /client=unknown\[192\.0\.2\.77\]/, 'XCLIENT names the client')
  })

  it('Exim: takes mail for its domain, knows the client by PROXY, relays for nobody', async () => {
    const page = 'recipes/exim.md'
    await using backend = await eximAsIn(page, 'exim.conf')
    await passesMail(page, { backend, port: backend.port })
    assert.match(await backend.log(), /<= a@client\.example H=.*\[192\.0\.2\.77\]/)
  })

  it('Exim without PROXY: takes mail for the listed domains, and is asked for no others', async () => {
    const page = 'recipes/exim.md'
    await using backend = await eximAsIn(page, 'exim-light.conf')
    await passesMail(page, { backend, port: backend.port, settings: 'treacle-light.toml' })
  })

  it('Sendmail: takes mail for the listed domains, and is asked for no others', async () => {
    const page = 'recipes/sendmail.md'
    await using backend = await startSendmail((port) => placed(blockOf(page, 'sendmail.mc'), port))
    await passesMail(page, { backend, port: backend.port })
  })

  it('OpenSMTPD: takes mail for its domain, knows the client by PROXY, relays for nobody', async () => {
    const page = 'recipes/opensmtpd.md'
    await using backend = await startOpensmtpd(({ port, maildir }) =>
      placed(blockOf(page, 'smtpd.conf'), port).replace(/maildir$/m, `maildir "${maildir}"`),
    )
    await passesMail(page, { backend, port: backend.port })
    assert.match(await backend.log(), /smtp connected address=192\.0\.2\.77 /)
  })

  it('Haraka: takes mail for its domain, knows the client by XCLIENT, relays for nobody', async () => {
    const page = 'recipes/haraka.md'
    await using backend = await startHaraka((port) => ({
      'smtp.ini': placed(blockOf(page, 'smtp.ini'), port),
      plugins: blockOf(page, 'plugins'),
      'xclient.hosts': blockOf(page, 'xclient.hosts'),
    }))
    await passesMail(page, { backend, port: backend.port })
    assert.match(await backend.log(), /disconnect ip=192\.0\.2\.77 /)
  })

  it('Dovecot by LMTP: takes mail for its users, knows the client, is asked for no other domain', async () => {
    const page = 'recipes/dovecot-lmtp.md'
    await using backend = await startDovecot({
      users: ['user'],
      lines: (port) =>
        placed(`${blockOf(page, 'local.conf')}\n${blockOf(page, '10-master.conf')}\n`, port),
    })
    await passesMail(page, { backend, port: backend.port })
    assert.match(await backend.log(), /lmtp\(\d+\): Info: Disconnect from 192\.0\.2\.77: /)
  })
})

/** An Exim with the lines of the recipe, on a port of its own. */
async function eximAsIn(page: string, file: string): Promise<BackEnd> {
  const { daemon_smtp_ports, ...config } = settingsIn(blockOf(page, file))
  assert.equal(daemon_smtp_ports, '10025', 'where Treacle looks; here it gets a free one')
  return await startExim({ config })
}

/** Sends a message through Treacle with the settings of the recipe, as a client of the outside. */
async function passesMail(
  page: string,
  {
    backend,
    port,
    settings = 'treacle.toml',
  }: { backend: BackEnd; port: number; settings?: string },
): Promise<void> {
  const recipe = placed(blockOf(page, settings), port)
  const here = recipe.replace('"0.0.0.0:25"', '"127.0.0.1:0"')
  await using treacle = await startTreacle({
    config: `${here}\nlisten.proxy_protocol_from = ["127.0.0.1"]`,
  })
  using client = await Talk.to(treacle.address, '192.0.2.77')
  await client.opens()
  assert.match((await client.asks('MAIL FROM:<a@client.example>')).text, /^250/)
  const relayed = await client.asks('RCPT TO:<user@elsewhere.example>')
  assert.match(relayed.text, /^5\d\d|^454/, 'no relay')
  assert.match((await client.asks('RCPT TO:<user@example.net>')).text, /^250/)
  assert.equal((await client.sends('Subject: by the recipe\n\nHello.\n')).code, 250)
  const [message] = await backend.waitForMessages('user', 1)
  assert.match(String(message), /^Subject: by the recipe$/m)
  assert.match(String(message), /^Received: from .*\[192\.0\.2\.77\]/m)
}

/** The port of the recipe is somebody else's on this machine. */
function placed(block: string, port: number): string {
  return block.replaceAll('10025', String(port)).trimEnd()
}

/** "name = value" lines. */
function settingsIn(block: string): Record<string, string> {
  const lines = block.split('\n').filter((line) => line.includes('='))
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', ...value] = line.split('=')
      return [name.trim(), value.join('=').trim()]
    }),
  )
}
