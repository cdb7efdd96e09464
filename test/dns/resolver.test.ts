/** SystemDns against a DNS server: what is an answer, what strangers publish, and the end. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import type { Zone } from './dns-server.ts'
import { ipOf, none, stays, systemDnsAt, unavailable } from './worlds.ts'

describe('SystemDns: what is an answer and what is not', () => {
  const zone: Zone = {
    'A here.example': { values: ['192.0.2.1'] },
    'A servfail.example': 'SERVFAIL',
    'A refused.example': 'REFUSED',
    'A silent.example': 'silence',
    // A sign to ask again over TCP, where nobody listens.
    'A truncated.example': 'truncated',
    'TXT empty.example': { values: ['no address'] },
  }
  const cases = [
    { name: 'gone.example', answer: none, because: 'NXDOMAIN' },
    { name: 'empty.example', answer: none, because: 'NODATA' },
    { name: 'servfail.example', answer: unavailable('SERVFAIL'), because: 'SERVFAIL' },
    { name: 'refused.example', answer: unavailable('REFUSED'), because: 'REFUSED' },
    {
      name: 'truncated.example',
      answer: unavailable('no DNS server reached'),
      because: 'the whole answer could not be had',
    },
  ]
  for (const { name, answer, because } of cases) {
    it(`${name} is ${answer.kind}: ${because}`, async () => {
      await using at = await systemDnsAt(zone)
      assert.deepEqual(await at.dns.addresses(name, 4, stays()), answer)
      assert.equal(at.clock.sleeping, 0)
    })
  }

  it('gives up by our own clock when the server is silent', async () => {
    await using at = await systemDnsAt(zone, { timeout: '5s' })
    let settled = false
    const answer = Promise.resolve(at.dns.addresses('silent.example', 4, stays())).finally(() => {
      settled = true
    })
    await at.server.arrived(1)
    await at.clock.advance(4_999)
    assert.equal(settled, false)
    await at.clock.advance(1)
    assert.deepEqual(await answer, unavailable('time-out'))
    assert.equal(at.clock.sleeping, 0)
  })

  it('gives up by c-ares too, after the last try', async () => {
    await using at = await systemDnsAt(zone, { timeout: '100ms', tries: 2 })
    const answer = await at.dns.addresses('silent.example', 4, stays())
    assert.deepEqual(answer, unavailable('time-out'))
    assert.deepEqual(at.server.asked, ['A silent.example', 'A silent.example'])
  })

  it('never shows the name that was asked, since it may hold a key', async () => {
    await using at = await systemDnsAt({ 'A 1.2.0.192.secretkey.example': 'SERVFAIL' })
    const answer = await at.dns.addresses('1.2.0.192.secretkey.example', 4, stays())
    assert.doesNotMatch(JSON.stringify(answer), /secretkey/)
  })
})

describe('SystemDns: names that strangers publish', () => {
  const cases = [
    {
      id: 'E1',
      names: [['mail\r\nX-Spam-Status: No', 'example', 'com']],
      because: 'it holds a line break',
    },
    { id: 'E2', names: [['a\0', 'example', 'com']], because: 'it holds a NUL' },
    {
      id: 'E2',
      names: [
        ['a b', 'com'],
        ['a(b', 'com'],
        ['a)b', 'com'],
      ],
      because: 'SMTP comments',
    },
    {
      id: 'E2',
      names: [
        ['a[b', 'com'],
        ['a;b', 'com'],
        ['a<b', 'com'],
      ],
      because: 'other specials',
    },
    { id: 'E2', names: [['trusted.example', 'com']], because: 'a dot inside a label' },
    { id: 'E13', names: [[]], because: 'it is the root' },
  ]
  for (const { id, names, because } of cases) {
    it(`${id}: is no name at all: ${because}`, async () => {
      await using at = await systemDnsAt({ 'PTR 2.2.0.192.in-addr.arpa': { values: names } })
      assert.deepEqual(await at.dns.pointers(ipOf('192.0.2.2'), stays()), none)
    })
  }

  it('keeps the host names among them', async () => {
    const values = [['evil\r\n', 'example'], 'Good.Example', 'good.example']
    await using at = await systemDnsAt({ 'PTR 2.2.0.192.in-addr.arpa': { values } })
    const answer = await at.dns.pointers(ipOf('192.0.2.2'), stays())
    assert.deepEqual(answer, { kind: 'found', records: ['good.example'] })
  })

  it('E13: a label of 64 octets or a name of 300 cannot be in an answer, nor be found', async () => {
    const long = Array.from({ length: 6 }, () => 'x'.repeat(50))
    await using at = await systemDnsAt({
      'PTR 2.2.0.192.in-addr.arpa': { values: [['x'.repeat(64), 'example']] },
      'PTR 3.2.0.192.in-addr.arpa': { values: [long] },
    })
    for (const text of ['192.0.2.2', '192.0.2.3']) {
      const answer = await at.dns.pointers(ipOf(text), stays())
      assert.notEqual(answer.kind, 'found')
    }
  })

  it('E4: looks at eight of forty names, the same ones in whatever order they come', async () => {
    const values = Array.from({ length: 40 }, (_, index) => `host-${index + 10}.example`)
    await using at = await systemDnsAt({
      'PTR 2.2.0.192.in-addr.arpa': { values },
      'PTR 3.2.0.192.in-addr.arpa': { values: values.toReversed() },
    })
    const answer = await at.dns.pointers(ipOf('192.0.2.2'), stays())
    assert.deepEqual(answer, { kind: 'found', records: values.slice(0, 8) })
    assert.deepEqual(await at.dns.pointers(ipOf('192.0.2.3'), stays()), answer)
  })
})

describe('SystemDns: the end', () => {
  it('answers everybody who waits, sent or queued, and asks no more', async () => {
    await using at = await systemDnsAt(
      { 'A silent.example': 'silence' },
      { resolvers: 1, in_flight_max: 1 },
    )
    const names = ['silent.example', 'queued.example']
    const answers = names.map((name) => at.dns.addresses(name, 4, stays()))
    await at.server.arrived(1)
    at.dns.close()
    assert.deepEqual(await Promise.all(answers), [unavailable('closed'), unavailable('closed')])
    const late = await at.dns.addresses('late.example', 4, stays())
    assert.deepEqual(late, unavailable('closed'))
    assert.deepEqual(at.server.asked, ['A silent.example'])
    assert.deepEqual(at.dns.gauges, { inFlight: 0, queued: 0, kept: 0 })
    assert.equal(at.clock.sleeping, 0)
  })

  it('keeps no process alive', async () => {
    await using at = await systemDnsAt({ 'A silent.example': 'silence' })
    const program = `
      import { systemClock } from '${import.meta.resolve('../../src/core/clock.ts')}'
      import { dnsOptions } from '${import.meta.resolve('../../src/dns/options.ts')}'
      import { SystemDns } from '${import.meta.resolve('../../src/dns/resolver.ts')}'
      const options = dnsOptions.parse({ servers: ['${at.server.address}'], timeout: '1h' })
      const dns = new SystemDns(options, systemClock)
      const answer = dns.addresses('silent.example', 4, new AbortController().signal)
      setImmediate(() => dns.close())
      console.log((await answer).kind)
    `
    const args = ['--input-type=module', '--eval', program]
    const { status, stdout } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 20_000,
    })
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'unavailable\n' })
  })
})
