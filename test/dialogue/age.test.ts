/** No connection lasts for ever, and no message is cut for that. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ScriptClient } from '../helpers/proxy.ts'
import { startProxy } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const minute = 60_000
/** Silence and slowness have limits of their own, which are not what this is about. */
const config =
  'limits.connection_age_max = "10m"\nlimits.idle_timeout = "1h"\nlimits.data_rate_min = 0\n'

async function givesRecipient(client: ScriptClient): Promise<void> {
  client.says('MAIL FROM:<a@b.example>')
  await client.hears('250 2.1.0')
  client.says('RCPT TO:<u@example.net>')
}

describe('a connection that has lasted limits.connection_age_max', () => {
  it('ends with 421, each at its own time, and those who left before leave no timer', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const first = await proxy.connectFrom('192.0.2.1')
    await first.isGreeted()
    await proxy.clock.advance(4 * minute)
    const second = await proxy.connectFrom('192.0.2.2')
    await second.isGreeted()
    const gone = await proxy.connectFrom('192.0.2.3')
    await gone.isGreeted()
    gone.leaves()
    await first.hears('421 4.4.2 ', { afterMs: 6 * minute })
    await first.isHungUpOn()
    await second.hears('421 4.4.2 ', { afterMs: 4 * minute })
    await second.isHungUpOn()
    const [, ledger] = proxy.ledgers
    assert.match(ledger?.reason ?? '', /^421 4\.4\.2 /)
    assert.equal(proxy.clock.sleeping, proxy.timersAtRest)
  })

  it('ends in the middle of a wait', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted('printer')
    await proxy.clock.advance(9 * minute)
    await givesRecipient(client)
    await client.hears('421 4.4.2 ', { afterMs: minute })
    await client.isHungUpOn()
    const entry = (await proxy.ledger()).entries.at(-1)
    assert.deepEqual([entry?.waitedMs, entry?.reaction], [minute, 'released'])
  })

  it('ends in the greet pause', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config: `greeting.pause = "20s"\nlimits.connection_age_max = "10s"\n`,
    })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.hears('421 4.4.2 ', { afterMs: 10_000 })
    await client.isHungUpOn()
  })

  it('does not wait for the end of a message that is refused already', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({
      backend: backend.address,
      config,
    })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await givesRecipient(client)
    await client.hears('250 ')
    client.says('DATA')
    await client.hears('354 ')
    client.says('bare\nand on')
    await client.hears('421 4.4.2 ', { afterMs: 10 * minute })
    await client.isHungUpOn()
    assert.equal(backend.messages.length, 0)
  })

  it('ends after the message that is under way, which arrives whole', async () => {
    await using backend = await startBackend()
    await using proxy = await startProxy({ backend: backend.address, config })
    const client = await proxy.connectFrom('192.0.2.1')
    await client.isGreeted()
    await givesRecipient(client)
    await client.hears('250 ')
    client.says('DATA')
    await client.hears('354 ')
    client.says('Subject: slowly')
    await client.hearsNothing({ forMs: 20 * minute })
    client.says('\r\nand to the end\r\n.')
    await client.hears('250 ')
    await client.hears('421 4.4.2 ')
    await client.isHungUpOn()
    assert.match(backend.messages[0]?.toString() ?? '', /and to the end\r\n$/)
    assert.equal((await proxy.ledger()).outcome, 'accepted')
  })
})
