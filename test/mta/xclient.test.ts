/** Postfix learns from Treacle who the client is, as if it had come to Postfix itself. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DnsServer, startDns } from './servers/dns.ts'
import { startHaproxy } from './servers/haproxy.ts'
import { type Postfix, startPostfix } from './servers/postfix.ts'
import { swaks } from './servers/swaks.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle, type Treacle } from './servers/treacle.ts'

describe('the client that Postfix hears of', { timeout: 120_000 }, () => {
  const stack = new AsyncDisposableStack()
  let dns: DnsServer
  let backend: Postfix
  let treacle: Treacle
  before(async () => {
    dns = stack.use(
      await startDns({
        zones: {
          'client.example': ['mail A 198.51.100.25', 'mail AAAA 2001:db8::25', 'other A 192.0.2.1'],
          '100.51.198.in-addr.arpa': [
            '25 PTR mail.client.example.',
            '26 PTR other.client.example.',
          ],
          '8.b.d.0.1.0.0.2.ip6.arpa': [`5.2${'.0'.repeat(22)} PTR mail.client.example.`],
        },
      }),
    )
    backend = stack.use(
      // Trusts our address, as it does by default; XCLIENT must take that trust away.
      await startPostfix({
        xclient: true,
        config: {
          mynetworks: '127.0.0.0/8, [::1]/128, 10.0.0.0/8',
          smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
        },
      }),
    )
    treacle = stack.use(
      await startTreacle({
        config: `
          listen.proxy_protocol_from = ["127.0.0.0/8"]
          backend.addresses = ["127.0.0.1:${backend.port}"]
          dns.servers = ["${dns.address}"]`,
      }),
    )
  })
  after(() => stack.disposeAsync())

  for (const { ip, who } of [
    { ip: '198.51.100.25', who: 'mail.client.example[198.51.100.25]' },
    { ip: '2001:db8::25', who: 'mail.client.example[2001:db8::25]' },
    { ip: '198.51.100.26', who: 'unknown[198.51.100.26]' },
    { ip: '198.51.100.77', who: 'unknown[198.51.100.77]' },
  ]) {
    it(`is ${who}, with its HELO as it spelt it`, async () => {
      using client = await Talk.to(treacle.address, ip)
      const helo = `Mail.${ip.length}.Client.EXAMPLE`
      await client.opens(helo)
      const sender = `from-${ip.replaceAll(':', '-')}@client.example`
      assert.equal((await client.gives('user@example.net', { sender })).code, 250)
      assert.equal((await client.sends('Subject: hello\n\nhello\n')).code, 250)
      await client.quits()

      const stored = await storedFrom(backend, sender)
      const literal = ip.includes(':') ? `IPv6:${ip}` : ip
      const name = who.slice(0, who.indexOf('['))
      assert.ok(stored.includes(`\nReceived: from ${helo} (${name} [${literal}])\n`), stored)
      const info = name === 'unknown' ? '' : `${name} `
      assert.ok(stored.includes(`\nReceived: from ${helo} (${info}[${literal}])\n`), stored)
      assert.ok((await backend.log()).includes(`: client=${who}\n`), await backend.log())
    })
  }

  it('is the one whom swaks names in a PROXY header', async () => {
    for (const proxy of [
      'TCP4 198.51.100.25 192.0.2.25 4444 25',
      'TCP6 2001:db8::25 2001:db8::1 4444 25',
    ]) {
      const sender = `swaks-${proxy.slice(0, 4)}@client.example`
      const sent = await swaks([
        ...['--server', treacle.address, '--helo', 'mail.client.example', '--from', sender],
        ...['--to', 'user@example.net', '--proxy', proxy],
      ])
      assert.equal(sent.code, 0, sent.output)
      const stored = await storedFrom(backend, sender)
      assert.match(stored, /^Received: from mail\.client\.example \(mail\.client\.example \[/m)
    }
  })

  it('is the one behind a real HAProxy', async () => {
    await using haproxy = await startHaproxy({ to: treacle.address, send: 'send-proxy-v2' })
    using client = await Talk.to(`127.0.0.1:${haproxy.port}`)
    await client.opens('behind.haproxy.example')
    const answer = await client.gives('user@example.net', { sender: 'haproxy@client.example' })
    assert.equal(answer.code, 250)
    assert.equal((await client.sends('Subject: hello\n\nhello\n')).code, 250)
    const stored = await storedFrom(backend, 'haproxy@client.example')
    assert.match(stored, /^Received: from behind\.haproxy\.example \(unknown \[0\.0\.0\.0\]\)$/m)
  })

  for (const ip of ['127.0.0.1', '::1', '10.0.0.1']) {
    it(`may not relay by saying that it is ${ip}, which Postfix would let (I12)`, async () => {
      using client = await Talk.to(treacle.address, ip)
      await client.opens()
      const answer = await client.gives('victim@elsewhere.example')
      assert.equal(answer.text, '554 5.7.1 <victim@elsewhere.example>: Relay access denied')
    })
  }

  it('I17: keeps a HELO that is as long as may be, encoded, up to what Postfix takes', async () => {
    for (const [index, helo] of ['a'.repeat(255), '+'.repeat(255), 'é'.repeat(127)].entries()) {
      using client = await Talk.to(treacle.address, '198.51.100.25')
      assert.equal((await client.opens(helo)).code, 250)
      const sender = `long-${index}@client.example`
      assert.equal((await client.gives('user@example.net', { sender })).code, 250)
      assert.equal((await client.sends('Subject: hello\n\nhello\n')).code, 250)
      await client.quits()
      const stored = await storedFrom(backend, sender)
      assert.match(stored, /\(mail\.client\.example \[198\.51\.100\.25\]\)/)
    }
  })

  it('may not relay, though Postfix would let Treacle', async () => {
    using direct = await Talk.to(`127.0.0.1:${backend.port}`)
    await direct.opens()
    assert.equal((await direct.gives('victim@elsewhere.example')).code, 250)
    using client = await Talk.to(treacle.address, '198.51.100.25')
    await client.opens()
    const answer = await client.gives('victim@elsewhere.example')
    assert.equal(answer.text, '554 5.7.1 <victim@elsewhere.example>: Relay access denied')
    assert.match(await backend.log(), /reject: RCPT from mail\.client\.example\[198\.51\.100\.25\]/)
  })
})

describe('a client that Postfix does not want', { timeout: 120_000 }, () => {
  it('hears so in the words of Postfix', async () => {
    await using backend = await startPostfix({
      xclient: true,
      config: {
        smtpd_client_restrictions:
          'check_client_access inline:{{192.0.2.66 = 554 5.7.1 You again?}}',
      },
    })
    await using treacle = await startTreacle({
      config: `
        listen.proxy_protocol_from = ["127.0.0.1"]
        backend.addresses = ["127.0.0.1:${backend.port}"]`,
    })
    using client = await Talk.to(treacle.address, '192.0.2.66')
    await client.opens()
    const answer = await client.gives('user@example.net')
    assert.match(answer.text, /^554 5\.7\.1 <unknown\[192\.0\.2\.66\]>: .*You again\?$/)
    await client.quits()
    const [ledger] = await treacle.waitForLedgers(1)
    assert.equal(ledger?.outcome, 'refused')
  })
})

/** The one message from this sender. */
async function storedFrom(backend: Postfix, sender: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const messages = await backend.waitForMessages('user', count)
    const found = messages.find((message) => message.includes(`Return-Path: <${sender}>\n`))
    if (found !== undefined) return found.toString()
    count = messages.length
  }
}

describe('a peer that says XCLIENT to us', { timeout: 120_000 }, () => {
  it('is swaks, and Postfix hears of its client and of who has logged in there', async () => {
    await using dns = await startDns({
      zones: {
        'client.example': ['mail A 198.51.100.25'],
        '100.51.198.in-addr.arpa': ['25 PTR mail.client.example.'],
      },
    })
    await using backend = await startPostfix({ xclient: true })
    await using treacle = await startTreacle({
      config: `
        listen.xclient_from = ["127.0.0.1"]
        backend.addresses = ["127.0.0.1:${backend.port}"]
        dns.servers = ["${dns.address}"]
        delay.target = ["60s", "60s"]`,
    })
    const sent = await swaks([
      ...['--server', treacle.address, '--helo', 'printer', '--from', 'a@client.example'],
      ...['--to', 'user@example.net', '--xclient-addr', '198.51.100.25', '--xclient-port', '2525'],
      // The name is one that we do not believe.
      ...['--xclient-name', 'liar.example', '--xclient-login', 'alice@example.net'],
    ])
    assert.equal(sent.code, 0, sent.output)
    const stored = await storedFrom(backend, 'a@client.example')
    assert.match(
      stored,
      /^Received: from printer \(mail\.client\.example \[198\.51\.100\.25\]\)\n\tby mx\.treacle\.example \(Treacle\) with ESMTPA/m,
    )
    const log = await backend.log()
    assert.match(
      log,
      /client=mail\.client\.example\[198\.51\.100\.25\].*sasl_username=alice@example\.net/,
    )
    const [, ledger] = await treacle.waitForLedgers(2)
    assert.deepEqual(
      [ledger?.client, ledger?.port, ledger?.login],
      ['198.51.100.25', 2_525, 'alice@example.net'],
    )
  })

  it('is not offered it when it is not listed', async () => {
    await using backend = await startPostfix({ xclient: true })
    await using treacle = await startTreacle({
      config: `backend.addresses = ["127.0.0.1:${backend.port}"]`,
    })
    const sent = await swaks([
      ...['--server', treacle.address, '--to', 'user@example.net', '--from', 'a@client.example'],
      ...['--xclient-addr', '198.51.100.25'],
    ])
    assert.match(sent.output, /Host did not advertise XCLIENT/)
    const [ledger] = await treacle.waitForLedgers(1)
    assert.equal(ledger?.client, '127.0.0.1')
  })
})
