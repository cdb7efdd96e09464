/** A real HAProxy in front of Treacle: the client that arrives is the one behind it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { App } from '../../src/app.ts'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import { fakeDns } from '../helpers/fake-dns.ts'
import { startHaproxy } from './servers/haproxy.ts'
import { waitUntil } from './servers/process.ts'

describe('Treacle behind HAProxy', { timeout: 60_000 }, () => {
  for (const send of ['send-proxy', 'send-proxy-v2'] as const) {
    for (const from of ['127.0.0.9', '::1']) {
      it(`hears with ${send} that the client is ${from}`, async () => {
        await using treacle = await startTreacle('127.0.0.1')
        await using haproxy = await startHaproxy({ to: treacle.address, send })
        const { heard, port } = await talk(from, haproxy.port)

        assert.match(heard, /^220 mx\.example\.org /)
        assert.match(heard, /\r\n221 /)
        const [ledger] = await treacle.closed(1)
        assert.deepEqual([ledger?.client, ledger?.port], [from, port])
      })
    }

    it(`takes the health checks of ${send} for what they are`, async () => {
      await using treacle = await startTreacle('127.0.0.1')
      const more = 'check check-send-proxy inter 1s'
      await using haproxy = await startHaproxy({ to: treacle.address, send, more })
      const [check] = await treacle.closed(1)
      assert.equal(check?.client, '127.0.0.1')
      assert.equal(treacle.app.log.counts['gate.bad-proxy-header'], 0)
      assert.match((await talk('127.0.0.9', haproxy.port)).heard, /^220 /)
    })
  }

  it('believes no HAProxy that is not listed', async () => {
    await using treacle = await startTreacle('192.0.2.7')
    await using haproxy = await startHaproxy({ to: treacle.address, send: 'send-proxy-v2' })
    assert.match((await talk('127.0.0.9', haproxy.port)).heard, /^554 5\.5\.1 /)
    const [ledger] = await treacle.closed(1)
    assert.equal(ledger?.client, '127.0.0.1')
  })

  it('lets nobody in by a HAProxy that does not say for whom it comes', async () => {
    await using treacle = await startTreacle('127.0.0.1')
    await using haproxy = await startHaproxy({ to: treacle.address, send: '' })
    assert.equal((await talk('127.0.0.9', haproxy.port, 'EHLO a\r\n')).heard, '')
    assert.equal(treacle.app.log.counts['gate.bad-proxy-header'], 1)
  })
})

/** Treacle with a short greet pause and no back end: nobody gets as far as that. */
async function startTreacle(proxy: string) {
  const folder = mkdtempSync(join(tmpdir(), 'treacle-behind-'))
  const text = `
name = "mx.example.org"
listen.addresses = ["127.0.0.1:0"]
listen.proxy_protocol_from = ["${proxy}"]
backend.addresses = ["127.0.0.1:1"]
backend.recipient_domains = ["example.net"]
greeting.pause = "100ms"
greeting.pause_suspect = "100ms"
delay.key_file = "${folder}/delay.key"
log.level = "silent"`
  const config = parseConfig(configSchema, text, 'test.toml')
  const app = new App({ config, file: 'test.toml', folder, dns: fakeDns() })
  const ledgers: Ledger[] = []
  app.log.listen((_name, fields) => {
    if ('ledger' in fields) ledgers.push(fields.ledger)
  })
  const [address = ''] = await app.start()
  return {
    app,
    address,
    /** The ledgers, as soon as there are so many. */
    async closed(count: number): Promise<readonly Ledger[]> {
      const isThere = async () => ledgers.length >= count
      await waitUntil(isThere, { timeoutMs: 10_000, what: async () => `${count} ledgers` })
      return ledgers
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await app.stop()
      rmSync(folder, { recursive: true, force: true })
      assert.equal(app.log.counts['our-fault'], 0)
    },
  }
}

/** Waits for a greeting, says QUIT, and hears what there is to hear until the end. */
async function talk(from: string, to: number, early = '') {
  const host = from.includes(':') ? '::1' : '127.0.0.1'
  const socket = connect({ host, port: to, localAddress: from })
  await once(socket, 'connect')
  const port = socket.localPort ?? 0
  let heard = ''
  socket.write(early)
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString()
    if (heard.startsWith('220 ') && heard.endsWith('\r\n') && !heard.includes('221')) {
      socket.write('QUIT\r\n')
    }
  })
  // A proxy resets what it cannot serve.
  socket.on('error', () => {})
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return { heard, port }
}
