/** The harness of the real DNS server: it answers as a resolver expects, and is gone afterwards. */
import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { describe, it } from 'node:test'
import { startDns } from './dns.ts'
import { isAlive } from './session.ts'

describe('DNS', { timeout: 60_000 }, () => {
  const zones = {
    'example.org': [
      '@ MX 10 mail',
      'mail A 192.0.2.1',
      'mail AAAA 2001:db8::1',
      '@ TXT "v=spf1 -all"',
    ],
    '2.0.192.in-addr.arpa': ['1 PTR mail.example.org.'],
    '8.b.d.0.1.0.0.2.ip6.arpa': [`1${'.0'.repeat(23)} PTR mail.example.org.`],
    '127.in-addr.arpa': ['1.0.0 PTR localhost.'],
    'list.example': ['2.0.0.127 A 127.0.0.2', '2.0.0.127 TXT "test entry"'],
  }

  it('answers', async () => {
    await using server = await startDns({ zones })
    const dns = new Resolver()
    dns.setServers([server.address])

    assert.deepEqual(await dns.resolvePtr('1.2.0.192.in-addr.arpa'), ['mail.example.org'])
    assert.deepEqual(await dns.resolvePtr('1.0.0.127.in-addr.arpa'), ['localhost'])
    const v6 = `1${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.ip6.arpa`
    assert.deepEqual(await dns.resolvePtr(v6), ['mail.example.org'])
    assert.deepEqual(await dns.resolve4('mail.example.org'), ['192.0.2.1'])
    assert.deepEqual(await dns.resolve6('mail.example.org'), ['2001:db8::1'])
    assert.deepEqual(await dns.resolveMx('example.org'), [
      { exchange: 'mail.example.org', priority: 10, type: 'MX' },
    ])
    assert.deepEqual(await dns.resolveTxt('example.org'), [['v=spf1 -all']])
    assert.deepEqual(await dns.resolve4('2.0.0.127.list.example'), ['127.0.0.2'])
    assert.deepEqual(await dns.resolveTxt('2.0.0.127.list.example'), [['test entry']])
  })

  it('knows the difference between no name, no data and not its business', async () => {
    await using server = await startDns({ zones })
    const dns = new Resolver()
    dns.setServers([server.address])
    await assert.rejects(dns.resolve4('3.0.0.127.list.example'), { code: 'ENOTFOUND' })
    await assert.rejects(dns.resolveMx('mail.example.org'), { code: 'ENODATA' })
    await assert.rejects(dns.resolve4('example.com'), { code: 'EREFUSED' })
  })

  it('runs more than once at a time, and is gone after stop', async () => {
    await using stack = new AsyncDisposableStack()
    const starts = [1, 2, 3, 4].map(async () => stack.use(await startDns({ zones })))
    const servers = await Promise.all(starts)
    const pids = servers.flatMap((server) => server.pids())
    assert.ok(pids.every(isAlive))
    await Promise.all(servers.map((server) => server.stop()))
    assert.deepEqual(pids.filter(isAlive), [])
  })

  it('does not start with a zone it cannot read', async () => {
    const start = startDns({ zones: { 'example.org': ['www A not-an-address'] } })
    await assert.rejects(start, /does not like a zone/)
  })
})
