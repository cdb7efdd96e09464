/** An upgrade loses no mail and sends none twice; a small version of `npm run restarts`. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connectTo } from '../helpers/proxied.ts'
import { restartUnderLoad } from './restarts.ts'
import { boundSocket } from './servers/bound-socket.ts'
import { startTreacle } from './servers/treacle.ts'

describe('restarts under load from a Postfix that queues', () => {
  it('deliver each message once when old and new overlap', { timeout: 110_000 }, async () => {
    const { messages } = await restartUnderLoad('overlap', 3)
    assert.ok(messages >= 12)
  })

  it('deliver each message once when the socket is handed over', { timeout: 110_000 }, async () => {
    const { messages } = await restartUnderLoad('hand-over', 3)
    assert.ok(messages >= 12)
  })
})

describe('a socket that systemd listens on', () => {
  it('keeps who comes between two runs waiting, and lets nobody down', async () => {
    using socket = boundSocket()
    const config = 'backend.addresses = ["127.0.0.1:1"]\nbackend.introduce = "xclient"'
    const first = await startTreacle({ config, listeningFd: socket.fd })
    assert.equal(first.address, `127.0.0.1:${socket.port}`)
    assert.equal(await first.stop(), 0)

    const client = await connectTo(`127.0.0.1:${socket.port}`)
    const greeted = new Promise((resolve) => client.once('data', (chunk) => resolve(`${chunk}`)))
    await using second = await startTreacle({ config, listeningFd: socket.fd })
    assert.match(String(await greeted), /^220 mx\.treacle\.example/)
    client.destroy()
    assert.equal((await second.waitForLedgers(1)).length, 1)
  })
})
