/**
 * What the back end offers is what the client is offered, and what the client says with it reaches
 * the back end. REQUIRETLS needs TLS all the way (RFC 8689).
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { systemClock } from '../../src/core/clock.ts'
import type { Pair } from '../../src/smtp/certificates.ts'
import { selfSigned } from '../../src/smtp/self-signed.ts'
import { type RunningProxy, type ScriptClient, startProxy } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

const config = 'tls.self_signed = true'
const usual = getCACertificates('default')
let localhost: Pair
before(async () => {
  localhost = await selfSigned('localhost', systemClock)
  setDefaultCACertificates([localhost.certificate])
})
after(() => setDefaultCACertificates(usual))

/** What EHLO offers, and the client that has heard it. */
async function offered(proxy: RunningProxy, secure = false) {
  const client = await proxy.connectFrom('192.0.2.1')
  await client.isGreeted()
  if (secure) {
    client.says('STARTTLS')
    await client.hears('220 ')
    await client.startsTls()
  }
  return { client, keywords: await keywordsOf(client) }
}

async function keywordsOf(client: ScriptClient): Promise<string[]> {
  client.says('EHLO mail.example.org')
  const reply = await client.hears('250-')
  return reply.split('\n').map((line) => line.slice(4).split(' ')[0] ?? '')
}

const extensions = [
  { keyword: 'SIZE', mail: 'SIZE=900', rcpt: '', because: 'RFC 1870' },
  { keyword: '8BITMIME', mail: 'BODY=8BITMIME', rcpt: '', because: 'RFC 6152' },
  { keyword: '8BITMIME', mail: 'BODY=7BIT', rcpt: '', because: 'RFC 6152' },
  { keyword: 'SMTPUTF8', mail: 'SMTPUTF8', rcpt: '', because: 'RFC 6531' },
  {
    keyword: 'DSN',
    mail: 'RET=FULL ENVID=QQ314+2B159',
    rcpt: 'NOTIFY=SUCCESS,DELAY ORCPT=rfc822;u+2Bx@example.net',
    because: 'RFC 3461',
  },
  { keyword: 'REQUIRETLS', mail: 'REQUIRETLS', rcpt: '', because: 'RFC 8689' },
]

describe('an extension', () => {
  for (const { keyword, mail, rcpt, because } of extensions) {
    it(`${keyword} is offered and passed on when the back end has it (${because})`, async () => {
      await using backend = await startBackend({
        tls: localhost,
        ehlo: ['STARTTLS'],
        ehloUnderTls: [keyword],
      })
      await using proxy = await startProxy({
        backend: backend.address.replace('127.0.0.1', 'localhost'),
        config,
      })
      const { client, keywords } = await offered(proxy, true)
      assert.ok(keywords.includes(keyword))
      client.says(`MAIL FROM:<a@b.example> ${mail}`)
      await client.hears('250 ')
      client.says(`RCPT TO:<u@example.net> ${rcpt}`)
      await client.hearsEventually('250 ')
      const said = (verb: string) => backend.transcript.find((line) => line.startsWith(verb))
      assert.equal(said('MAIL'), `MAIL FROM:<a@b.example> ${mail}`.trim())
      assert.equal(said('RCPT'), `RCPT TO:<u@example.net> ${rcpt}`.trim())
      client.leaves()
    })

    it(`${keyword} is neither offered nor taken when it does not (${mail})`, async () => {
      await using backend = await startBackend({ ehlo: [] })
      await using proxy = await startProxy({ backend: backend.address, config })
      const { client, keywords } = await offered(proxy, true)
      // Sizes we look after ourselves.
      if (keyword === 'SIZE') return client.leaves()
      assert.ok(!keywords.includes(keyword))
      client.says(`MAIL FROM:<a@b.example> ${mail}`)
      await client.hears('555 5.5.4 ')
      client.leaves()
    })
  }

  it('SMTPUTF8 makes no name of bytes that are no UTF-8', async () => {
    await using backend = await startBackend({ ehlo: ['SMTPUTF8'] })
    await using proxy = await startProxy({ backend: backend.address, config })
    const { client } = await offered(proxy)
    client.says(Buffer.from('MAIL FROM:<\xe4@b.example> SMTPUTF8\r\n', 'latin1'))
    await client.hears('501 5.1.7')
    client.says('MAIL FROM:<\u00e4\ufffd@b.example> SMTPUTF8')
    await client.hears('250 ')
    client.says(Buffer.from('RCPT TO:<\xe4@example.net>\r\n', 'latin1'))
    await client.hears('501 5.1.3')
    client.says('RCPT TO:<\u00e4@example.net>')
    await client.hearsEventually('250 ')
    const asked = backend.transcript.filter((line) => line.startsWith('RCPT'))
    assert.deepEqual(asked, ['RCPT TO:<\u00e4@example.net>'])
    client.leaves()
  })

  it('REQUIRETLS is neither offered nor taken before STARTTLS', async () => {
    await using backend = await startBackend({
      tls: localhost,
      ehlo: ['STARTTLS'],
      ehloUnderTls: ['REQUIRETLS'],
    })
    await using proxy = await startProxy({
      backend: backend.address.replace('127.0.0.1', 'localhost'),
      config,
    })
    const { client, keywords } = await offered(proxy)
    assert.ok(!keywords.includes('REQUIRETLS'))
    client.says('MAIL FROM:<a@b.example> REQUIRETLS')
    await client.hears('555 ')
    client.leaves()
  })

  for (const { what, ehlo } of [
    { what: 'no TLS', ehlo: [] },
    { what: 'no TLS, whatever it says', ehlo: ['REQUIRETLS'] },
    { what: 'a TLS that has become another’s', ehlo: ['STARTTLS'] },
  ]) {
    it(`REQUIRETLS is not passed to a back end that has ${what} by now`, async () => {
      const other = await selfSigned('localhost', systemClock)
      const good = { tls: localhost, ehlo: ['STARTTLS'], ehloUnderTls: ['REQUIRETLS'] }
      const backend = await startBackend(good)
      await using proxy = await startProxy({
        backend: backend.address.replace('127.0.0.1', 'localhost'),
        config,
      })
      const { client } = await offered(proxy, true)
      client.says('MAIL FROM:<a@b.example> REQUIRETLS')
      await client.hears('250 ')
      await backend[Symbol.asyncDispose]()
      await using worse = await startBackend({ ...good, tls: other, ehlo, port: backend.port })
      client.says('RCPT TO:<u@example.net>')
      await client.hearsEventually('451 ')
      assert.ok(!worse.transcript.some((line) => line.startsWith('MAIL')))
      client.leaves()
    })
  }
})

describe('EHLO', () => {
  it('offers what the probe at the start has found, and what a later conversation shows', async () => {
    let ehlo = ['8BITMIME']
    await using backend = await startBackend({
      replies: (line) => {
        if (!line.startsWith('EHLO')) return undefined
        return ['backend.example.net', ...ehlo]
          .map((keyword, index) => `250${index < ehlo.length ? '-' : ' '}${keyword}\r\n`)
          .join('')
      },
    })
    await using proxy = await startProxy({ backend: backend.address })
    const first = await offered(proxy)
    assert.ok(first.keywords.includes('8BITMIME'), 'nobody has sent mail yet')
    ehlo = ['DSN']
    first.client.says('MAIL FROM:<a@b.example>')
    await first.client.hears('250 ')
    first.client.says('RCPT TO:<u@example.net>')
    await first.client.hearsEventually('250 ')
    const second = await offered(proxy)
    assert.deepEqual(
      second.keywords.filter((each) => ['8BITMIME', 'DSN'].includes(each)),
      ['DSN'],
    )
    first.client.leaves()
    second.client.leaves()
  })
})
