/** TLS all the way, with a Postfix on either side: the one checks names, the other writes down ciphers. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { systemClock } from '../../src/core/clock.ts'
import { selfSigned } from '../../src/smtp/self-signed.ts'
import { startPostfix } from './servers/postfix.ts'
import { startTreacle } from './servers/treacle.ts'

it('mail goes under TLS from one Postfix to the other', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'treacle-mta-tls-'))
  try {
    const { certificate, key } = await selfSigned('localhost', systemClock)
    await writeFile(join(folder, 'both.pem'), key + certificate)
    await using backend = await startPostfix({
      xclient: true,
      config: {
        smtpd_tls_security_level: 'encrypt',
        smtpd_tls_chain_files: join(folder, 'both.pem'),
        smtpd_tls_received_header: 'yes',
      },
    })
    await using treacle = await startTreacle({
      config: `
        backend.addresses = ["localhost:${backend.port}"]
        backend.tls = "require"
        tls.certificate = "localhost.pem"
        tls.key = "localhost.pem"`,
      files: { 'localhost.pem': certificate + key },
      env: { NODE_EXTRA_CA_CERTS: 'localhost.pem' },
    })
    await using sender = await startPostfix({
      relayhost: `[localhost]:${treacle.port}`,
      config: {
        smtp_tls_security_level: 'verify',
        smtp_tls_CAfile: join(folder, 'both.pem'),
        smtp_tls_loglevel: '1',
        inet_protocols: 'ipv4',
        smtp_host_lookup: 'native',
      },
    })
    const data = 'Subject: secret\n\nsecret\n'
    await sender.send({ from: 'a@client.example', to: 'user@example.net', data })
    const [message] = await backend.waitForMessages('user', 1)
    const text = message?.toString() ?? ''
    const [last = ''] = text.split('\nReceived: by ')
    assert.match(
      last,
      /using TLSv1\.3 with cipher [\s\S]*\tby mx\.example\.net \(Postfix\) with ESMTPS/,
    )
    assert.match(text, /\tby mx\.treacle\.example \(Treacle\) with ESMTPS id/)
    assert.match(await sender.log(), /Verified TLS connection established to localhost/)
    assert.equal((await treacle.events('backend.in-the-clear')).length, 0)
  } finally {
    await rm(folder, { recursive: true })
  }
})
