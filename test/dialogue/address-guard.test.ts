/**
 * Everybody seems to come from the gateway of a container network: from then on nobody is judged by
 * that address, neither tarpitted nor trusted for it, and the operator hears of it everywhere.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type RunningProxy, type ScriptClient, startProxy, until } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'
import { freePort } from '../mta/servers/place.ts'

const gateway = '172.17.0.1'
/** The gateway has a name by which everybody behind it would be judged. */
const dns = { ptr: { [gateway]: ['adsl-1.example.org'], '192.0.2.66': ['adsl-66.example.org'] } }

/** So many servers of as many owners come by and go. */
async function everybodyComes(proxy: RunningProxy, count = 5): Promise<void> {
  const others = proxy.app.connectionCount
  for (let index = 0; index < count; index += 1) {
    const client = await proxy.connectFrom(gateway)
    await client.isGreeted(`mail.owner${index}.example`)
    client.leaves()
    await until(() => proxy.app.connectionCount === others)
  }
}

async function givesRecipient(client: ScriptClient, helo: string): Promise<void> {
  await client.isGreeted(helo)
  client.says('MAIL FROM:<a@b.example>')
  await client.hears('250 2.1.0')
  client.says('RCPT TO:<u@example.net>')
}

describe('clients that all seem to come from one private address', () => {
  it('are judged by it until it is clear that it is not theirs, and not any more then', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, dns })
    const before = await proxy.connectFrom(gateway)
    await givesRecipient(before, 'mail.owner0.example')
    await before.hears('250 ', { afterMs: 90_000 })
    await everybodyComes(proxy)
    const after = await proxy.connectFrom(gateway)
    await givesRecipient(after, 'mail.owner0.example')
    await after.hears('250 ')
    after.leaves()
    await until(() => proxy.ledgers.length === 6)
    before.leaves()
    await until(() => proxy.ledgers.length === 7)
    const ledger = proxy.ledgers.at(-2)
    assert.deepEqual(
      [ledger?.addressHidden, ledger?.findings, ledger?.hostname, ledger?.lookupCount],
      [true, [], '', 0],
    )
    assert.equal(proxy.ledgers.at(-1)?.addressHidden, false, 'it came before')
    const { counts } = proxy.app.log
    assert.deepEqual([counts['guard.tripped'], counts['guard.suspended']], [1, 1])
    const alarm = proxy.events.find(({ name }) => name === 'guard.tripped')?.fields
    assert.ok(alarm && 'remedy' in alarm)
    assert.equal(alarm.client, gateway)
    assert.match(alarm.remedy, /docs\/client-address\.md/)
  })

  it('are judged by what they say as ever, and a literal may be their own', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, dns })
    await everybodyComes(proxy)
    const printer = await proxy.connectFrom(gateway)
    await givesRecipient(printer, 'printer')
    await printer.hears('250 ', { afterMs: 90_000 })
    const literal = await proxy.connectFrom(gateway)
    await givesRecipient(literal, '[203.0.113.7]')
    await literal.hears('250 ')
  })

  it('change nothing for those whose own address is seen', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, dns })
    await everybodyComes(proxy)
    const dialup = await proxy.connectFrom('192.0.2.66')
    await givesRecipient(dialup, 'mail.owner0.example')
    await dialup.hears('250 ', { afterMs: 90_000 })
  })

  it('share no limit but that of all', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      dns,
      config:
        'limits.per_address_max = 1\nlimits.per_network_max = 1\nlimits.connections_max = 3\n',
    })
    await everybodyComes(proxy)
    for (let index = 0; index < 3; index += 1) {
      await (await proxy.connectFrom(gateway)).isGreeted(`mail.owner${index}.example`)
    }
    await (await proxy.connectFrom(gateway)).hears('421 4.7.0 Sorry, too many connections')
  })

  it('are not greylisted as one', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: 'reasons.unqual-helo.action = "greylist"',
    })
    const before = await proxy.connectFrom(gateway)
    await givesRecipient(before, 'printer')
    await before.hears('450 4.7.1 ')
    await everybodyComes(proxy)
    const after = await proxy.connectFrom(gateway)
    await givesRecipient(after, 'printer')
    await after.hears('250 ')
  })

  it('make health degraded and the gauge 1, with the remedy', async () => {
    const admin = `127.0.0.1:${await freePort()}`
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `admin.listen = "${admin}"\nreasons.sorbs-dul.action = "off"`,
    })
    const ready = async () => await (await fetch(`http://${admin}/ready`)).text()
    const gauge = async () => await (await fetch(`http://${admin}/metrics`)).text()
    assert.match(await ready(), /"status":"ready"/)
    assert.match(await gauge(), /^treacle_guard 0$/m)
    await everybodyComes(proxy)
    assert.match(await ready(), /"status":"degraded".*172\.17\.0\.1.*docs\/client-address\.md/)
    assert.match(await gauge(), /^treacle_guard 1$/m)
    assert.match(await gauge(), /^treacle_events_total\{event="guard\.tripped"\} 1$/m)
  })

  it('are nobody\'s business with gate.guard = "off"', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      dns,
      config: 'gate.guard = "off"',
    })
    await everybodyComes(proxy)
    const client = await proxy.connectFrom(gateway)
    await givesRecipient(client, 'mail.owner0.example')
    await client.hears('250 ', { afterMs: 90_000 })
    assert.equal(proxy.app.log.counts['guard.tripped'], 0)
  })
})
