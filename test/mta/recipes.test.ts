/** The recipes of docs/recipes, as written, with the real programs; only places are put in. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { blockOf } from '../docs/blocks.ts'
import { startExim } from './servers/exim.ts'
import type { BackEnd } from './servers/mail-server.ts'
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

  it('Exim: takes mail for the listed domains, and is asked for no others', async () => {
    const page = 'recipes/exim.md'
    const port = await freePort()
    const { daemon_smtp_ports, ...config } = settingsIn(placed(blockOf(page, 'exim.conf'), port))
    assert.equal(daemon_smtp_ports, String(port))
    await using backend = await startExim({ config })
    await passesMail(page, { backend, port: backend.port })
  })

  it('Sendmail: takes mail for the listed domains, and is asked for no others', async () => {
    const page = 'recipes/sendmail.md'
    await using backend = await startSendmail((port) => placed(blockOf(page, 'sendmail.mc'), port))
    await passesMail(page, { backend, port: backend.port })
  })
})

/** Sends a message through Treacle with the settings of the recipe, as a client of the outside. */
async function passesMail(
  page: string,
  { backend, port }: { backend: BackEnd; port: number },
): Promise<void> {
  const recipe = placed(blockOf(page, 'treacle.toml'), port)
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
