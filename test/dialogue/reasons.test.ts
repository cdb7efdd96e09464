/** Reasons beyond the seed's, and consequences beyond the wait, as a client meets them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ProxySetup, type ScriptClient, startProxy } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const line = 'dsl-192-0-2-1.pool.example.com'
const lineDns = { ptr: { '192.0.2.1': [line] }, a: { [line]: ['192.0.2.1'] } }
const botnet = [
  'botnet-client.action = "delay"',
  'botnet-ipinhostname.action = "delay"',
  'botnet-clientwords.action = "delay"',
  'botnet-soho.action = "delay"',
  'hostname-dsl-or-dialup.action = "off"',
]
  .map((setting) => `reasons.${setting}\n`)
  .join('')

describe('weights', () => {
  it('earn a part of the delay: seven tenths for the name of a line', async () => {
    await using world = await setUp({ config: botnet, dns: lineDns })
    const { client, proxy } = world
    await begin(client, 'mail.example.org')
    client.says('RCPT TO:<bob@example.net>')
    await client.hears('250 ', { afterMs: 63_000 })
    client.says('QUIT')
    await client.hears('221 ')
    const { entries, findings, lookupCount } = await proxy.ledger()
    assert.deepEqual(
      entries.at(-1)?.reasons.map(({ name, weight }) => `${name} ${weight}`),
      ['botnet-ipinhostname 1', 'botnet-clientwords 2', 'botnet-client 4'],
    )
    assert.equal(findings.length, 3)
    assert.ok(lookupCount >= 2)
  })

  it('are taken away again by an excuse: the domain of the sender leads to the client', async () => {
    const dns = { ...lineDns, a: { ...lineDns.a, 'soho.example': ['192.0.2.1'] } }
    await using world = await setUp({ config: botnet, dns })
    const { client, proxy } = world
    await begin(client, 'mail.example.org', 'a@soho.example')
    client.says('RCPT TO:<bob@example.net>')
    await client.hears('250 ')
    client.says('QUIT')
    await client.hears('221 ')
    const { findings } = await proxy.ledger()
    assert.equal(findings.at(-1)?.evidence, 'soho.example leads to 192.0.2.1')
  })

  it('add up to the whole', async () => {
    const config = `${botnet}reasons.helo-dynamic.action = "delay"\n`
    await using world = await setUp({ config, dns: lineDns })
    await begin(world.client, line)
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('250 ', { afterMs: 90_000 })
  })
})

describe('action = "reject"', () => {
  const config = 'reasons.unqual-helo.action = "reject"\n'

  it('refuses, says for what, and asks the back end nothing', async () => {
    await using world = await setUp({ config })
    await begin(world.client, 'MarineGuy')
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('550 5.7.1 Refused for unqual-helo')
    assert.equal(world.backend.transcript.join().includes('RCPT'), false)
  })

  it('refuses nothing for postmaster', async () => {
    await using world = await setUp({ config })
    await begin(world.client, 'MarineGuy')
    world.client.says('RCPT TO:<postmaster@example.net>')
    await world.client.hears('250 ')
  })

  it('refuses nobody in observe mode', async () => {
    await using world = await setUp({ config: `${config}mode = "observe"\n` })
    await begin(world.client, 'MarineGuy')
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('250 ')
  })

  it('may be for the mail to one domain only', async () => {
    await using world = await setUp({
      config: [
        'backend.recipient_domains = ["example.net", "strict.example"]',
        'reasons.unqual-helo.action = "off"',
        '[recipients."strict.example"]',
        'actions = { unqual-helo = "reject" }',
        '',
      ].join('\n'),
    })
    await begin(world.client, 'MarineGuy')
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('250 ')
    world.client.says('RCPT TO:<bob@strict.example>')
    await world.client.hears('550 5.7.1 ')
  })
})

describe('action = "greylist"', () => {
  const config = 'reasons.unqual-helo.action = "greylist"\n'

  it('asks a client with a reason to come back, and takes it when it does', async () => {
    await using world = await setUp({ config })
    const { proxy } = world
    await begin(world.client, 'MarineGuy')
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('450 4.7.1 Please try again later (unqual-helo)')
    world.client.says('RCPT TO:<carol@example.net>')
    await world.client.hears('450 4.7.1 ')
    world.client.leaves()
    await proxy.clock.advance(61_000)
    const again = await proxy.connectFrom('192.0.2.99')
    await again.hears('220 ')
    await begin(again, 'MarineGuy')
    again.says('RCPT TO:<bob@example.net>')
    await again.hears('250 ')
  })

  it('asks nothing of a client without a reason', async () => {
    await using world = await setUp({ config })
    await begin(world.client, 'mail.example.org')
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('250 ')
  })

  it('is not for one that has endured a delay', async () => {
    const both = `${config}reasons.helo-localhost.action = "delay"\n`
    await using world = await setUp({ config: both })
    await begin(world.client, 'localhost')
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('250 ', { afterMs: 90_000 })
  })
})

describe('the course of the dialogue', () => {
  it('pipelined-too-soon: commands together with EHLO', async () => {
    await using world = await setUp({
      config: 'reasons.pipelined-too-soon.action = "delay"\n',
    })
    world.client.says('EHLO mail.example.org\r\nMAIL FROM:<alice@example.org>')
    await world.client.hears('250')
    await world.client.hears('250 ')
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('250 ', { afterMs: 45_000 })
  })

  it('helo-changed: another name after RSET', async () => {
    await using world = await setUp({ config: 'reasons.helo-changed.action = "delay"\n' })
    await begin(world.client, 'mail.example.org')
    world.client.says('RSET')
    await world.client.hears('250 ')
    await begin(world.client, 'smtp.example.com')
    world.client.says('RCPT TO:<bob@example.net>')
    await world.client.hears('250 ', { afterMs: 36_000 })
  })

  it('newcomer and crowd: who is here for the first time, and with how many', async () => {
    const config =
      'reasons.newcomer.action = "delay"\nreasons.crowd.action = "delay"\nreasons.crowd.connections = 2\n'
    await using world = await setUp({ config })
    const { client, proxy } = world
    const second = await proxy.connectFrom('192.0.2.7')
    await second.hears('220 ')
    await begin(second, 'mail.example.org')
    second.says('RCPT TO:<bob@example.net>')
    await second.hears('250 ', { afterMs: 36_000 })
    second.leaves()
    client.leaves()
    await proxy.clock.advance(1)
    const later = await proxy.connectFrom('192.0.2.8')
    await later.hears('220 ')
    await begin(later, 'mail.example.org')
    later.says('RCPT TO:<bob@example.net>')
    await later.hears('250 ')
  })
})

describe('look-ups', () => {
  it('are no more than so many for one connection, and that is told', async () => {
    const pointers = Array.from({ length: 8 }, (_, index) => `h${index}.example.com`)
    await using world = await setUp({
      config: 'reasons.lookups_max = 4\n',
      dns: { ptr: { '192.0.2.1': pointers } },
    })
    const { client, proxy } = world
    await begin(client, 'mail.example.org')
    client.says('RCPT TO:<bob@example.net>')
    await client.hears('250 ')
    client.says('QUIT')
    await client.hears('221 ')
    assert.ok((await proxy.ledger()).lookupCount > 4)
    assert.equal(proxy.app.log.counts['lookups.spent'], 1)
  })
})

async function setUp(setup: Omit<ProxySetup, 'backend'>) {
  const stack = new AsyncDisposableStack()
  const backend = stack.use(await startBackend())
  const config = `reasons.sorbs-dul.action = "off"\n${setup.config ?? ''}`
  const proxy = stack.use(await startProxy({ ...setup, config, backend: backend.address }))
  const client = await proxy.connectFrom('192.0.2.1')
  await client.hears('220 ')
  return { backend, proxy, client, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function begin(client: ScriptClient, helo: string, sender = 'alice@example.org') {
  client.says(`EHLO ${helo}`)
  await client.hears('250')
  client.says(`MAIL FROM:<${sender}>`)
  await client.hears('250 ')
}
