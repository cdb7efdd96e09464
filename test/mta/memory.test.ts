/** The budget of memory in a real process: what it has is what it measures, and a reload is heard. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startPostfix } from './servers/postfix.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle } from './servers/treacle.ts'

it('with a budget that is spent friends come in and others do not, until there is more', {
  timeout: 60_000,
}, async () => {
  await using backend = await startPostfix({ xclient: true })
  const config = (memoryMax: string) => `
    listen.proxy_protocol_from = ["127.0.0.1"]
    backend.addresses = ["127.0.0.1:${backend.port}"]
    gate.known_good = "friends"
    limits.memory_max = "${memoryMax}"`
  await using treacle = await startTreacle({
    config: config('20MB'),
    files: { friends: '192.0.2.99\n' },
  })
  const [short] = await treacle.waitForEvents('memory.short')
  assert.ok(
    Number(short?.usedBytes) > 20e6 && Number(short?.usedBytes) < 400e6,
    `${short?.usedBytes}`,
  )
  using stranger = await Talk.to(treacle.address, '192.0.2.1')
  assert.equal((await stranger.hears()).text, '421 4.7.0 Sorry, short of memory')
  using friend = await Talk.to(treacle.address, '192.0.2.99')
  await friend.opens()
  assert.equal((await friend.gives('user@example.net')).code, 250)

  await treacle.configure(config('2GB'))
  await treacle.hangUp()
  await treacle.waitForEvents('memory.eased')
  using later = await Talk.to(treacle.address, '192.0.2.1')
  await later.opens()
  assert.equal((await later.gives('user@example.net')).code, 250)
})
