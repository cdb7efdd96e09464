/** Memory runs short: who waits is answered sooner, and the most suspicious newcomers come in vain. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type RunningProxy, type ScriptClient, startProxy } from '../helpers/proxy.ts'
import { type ScriptedBackend, startBackend } from '../helpers/scripted-backend.ts'

const megabyte = 1_000_000
/** Clients of these addresses have earned the whole delay, half of it, none of it by the greeting. */
const [worst, bad, clean] = ['192.0.2.66', '192.0.2.33', '192.0.2.1']
const config = `
limits.memory_max = "100MB"
gate.known_good = "friends"
reason = [
  { name = "worst", ip = ["192.0.2.66"], weight = 10 },
  { name = "bad", ip = ["192.0.2.33"], weight = 5 },
  { name = "friend", ip = ["198.51.100.1"], weight = 10 },
]
`
const files = { friends: '198.51.100.1\n', dubious_helo: '', helo_accept_junk_hosts: '' }

async function start(backend: ScriptedBackend, use: { megabytes: number }): Promise<RunningProxy> {
  const memory = { inUse: () => use.megabytes * megabyte, collect: () => {} }
  return await startProxy({ backend: backend.address, config, files, memory })
}

async function isHeld(client: ScriptClient): Promise<void> {
  await client.isGreeted()
  client.says('MAIL FROM:<a@b.example>')
  await client.hears('250 2.1.0')
  client.says('RCPT TO:<u@example.net>')
  await client.hearsNothing({ forMs: 0 })
}

describe('short of memory', () => {
  it('the least suspicious of those who wait are answered first, and the ledger says so', async () => {
    const use = { megabytes: 50 }
    await using backend = await startBackend()
    await using proxy = await start(backend, use)
    const first = await proxy.connectFrom(worst)
    await isHeld(first)
    const second = await proxy.connectFrom(bad)
    await isHeld(second)
    await proxy.clock.advance(10_000)
    use.megabytes = 101
    await second.hears('250 ', { afterMs: 1_000 })
    use.megabytes = 95
    await first.hearsNothing({ forMs: 30_000 })
    assert.equal(proxy.app.holder.heldCount, 1)
    second.leaves()
    const entry = (await proxy.ledger()).entries.at(-1)
    assert.deepEqual([entry?.waitedMs, entry?.reaction], [11_000, 'released'])
    use.megabytes = 80
    await proxy.clock.advance(1_000)
    const { counts } = proxy.app.log
    assert.deepEqual([counts['memory.short'], counts['memory.eased']], [1, 1])
    // It is the rest of its own delay that the first one waits.
    await first.hears('250 ', { afterMs: 48_000 })
  })

  const rows = [
    { megabytes: 99, hears: { worst: '220', bad: '220', clean: '220', friend: '220' } },
    { megabytes: 100, hears: { worst: '421', bad: '220', clean: '220', friend: '220' } },
    { megabytes: 110, hears: { worst: '421', bad: '421', clean: '220', friend: '220' } },
    { megabytes: 120, hears: { worst: '421', bad: '421', clean: '220', friend: '220' } },
    { megabytes: 130, hears: { worst: '421', bad: '421', clean: '421', friend: '220' } },
  ]
  for (const { megabytes, hears } of rows) {
    it(`newcomers with ${megabytes} of 100 MB in use hear ${Object.values(hears)}`, async () => {
      await using backend = await startBackend()
      await using proxy = await start(backend, { megabytes })
      const ips = { worst, bad, clean, friend: '198.51.100.1' }
      for (const [who, code] of Object.entries(hears)) {
        const client = await proxy.connectFrom(ips[who as keyof typeof ips])
        const said = await client.hears(new RegExp(`^${code} `))
        if (code !== '421') continue
        assert.equal(said, '421 4.7.0 Sorry, short of memory')
        await client.isHungUpOn()
      }
      const turnedAway = Object.values(hears).filter((code) => code === '421').length
      assert.equal(proxy.app.log.counts['gate.turned-away'], turnedAway)
    })
  }

  it('is over only when a tenth of the budget is free again', async () => {
    const use = { megabytes: 100 }
    await using backend = await startBackend()
    await using proxy = await start(backend, use)
    const comes = async (code: string) => {
      const client = await proxy.connectFrom(worst)
      await client.hears(code)
      client.leaves()
    }
    await comes('421 ')
    for (const [megabytes, code] of [
      [99, '421 '],
      [91, '421 '],
      [89, '220 '],
      [99, '220 '],
    ] as const) {
      use.megabytes = megabytes
      await proxy.clock.advance(1_000)
      await comes(code)
    }
  })
})
