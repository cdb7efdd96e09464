/** Everybody comes from 127.0.0.1, as with a published port of rootless Podman: no friend, and no neighbour. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startPostfix } from './servers/postfix.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle } from './servers/treacle.ts'

it('what the operator trusts is trusted until it turns out to be the whole world', {
  timeout: 60_000,
}, async () => {
  await using backend = await startPostfix({
    xclient: true,
    config: {
      mynetworks: '127.0.0.0/8',
      smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    },
  })
  await using treacle = await startTreacle({
    config: `
      backend.addresses = ["127.0.0.1:${backend.port}"]
      gate.known_good = "friends"
      greeting.pause = "300ms"
      greeting.pause_suspect = "300ms"`,
    files: { friends: '127.0.0.0/8\n' },
  })
  for (const owner of ['a.example', 'b.example', 'c.example', 'd.example', '[203.0.113.7]']) {
    using host = await Talk.to(treacle.address)
    await host.opens(owner)
    assert.equal((await host.gives('someone@elsewhere.example')).code, 250, 'a neighbour may relay')
    await host.quits()
  }
  const [alarm] = await treacle.waitForEvents('guard.tripped')
  assert.equal(alarm?.client, '127.0.0.1')
  assert.match(String(alarm?.remedy), /docs\/client-address\.md/)

  using host = await Talk.to(treacle.address)
  assert.ok((await host.hears()).tookMs >= 250, 'it is greeted like anybody')
  assert.equal((await host.asks('EHLO printer')).code, 250)
  const answer = await host.gives('someone@elsewhere.example')
  assert.match(answer.text, /^554 5\.7\.1 .*Relay access denied/)
  assert.ok(answer.tookMs >= 900, 'its HELO makes it wait')
  assert.equal((await host.asks('RCPT TO:<user@example.net>')).code, 250, 'and is served')
  await host.quits()
  const ledger = (await treacle.waitForLedgers(6)).at(-1)
  assert.equal(ledger?.addressHidden, true)
  assert.match(await backend.log(), /client=unknown\[0\.0\.0\.0\]|from unknown\[0\.0\.0\.0\]/)
})
