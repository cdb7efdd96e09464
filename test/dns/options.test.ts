/** The [dns] table. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dnsOptions } from '../../src/dns/options.ts'

describe('dnsOptions', () => {
  it('is complete without a line in the file', () => {
    assert.deepEqual(dnsOptions.parse({}), {
      servers: [],
      timeout: 5_000,
      tries: 5,
      cache_entries: 10_000,
      cache_longest: 3_600_000,
      cache_negative: 60_000,
      cache_without_ttl: 300_000,
      resolvers: 8,
      in_flight_max: 250,
    })
  })

  it('tells an operator about each setting', () => {
    for (const [key, setting] of Object.entries(dnsOptions.shape)) {
      assert.match(setting.description ?? '', /\.$/, key)
    }
  })

  const servers: Readonly<Record<string, boolean>> = {
    '192.0.2.53': true,
    '192.0.2.53:5300': true,
    '2001:db8::53': true,
    '[2001:db8::53]': true,
    '[2001:db8::53]:5300': true,
    '': false,
    'dns.example.org': false,
    '192.0.2.53:0': false,
    '192.0.2.53:65536': false,
    '192.0.2.53:': false,
    '192.0.2.256': false,
    '[2001:db8::53': false,
  }
  for (const [server, valid] of Object.entries(servers)) {
    it(`${valid ? 'takes' : 'refuses'} "${server}" as a server`, () => {
      assert.equal(dnsOptions.safeParse({ servers: [server] }).success, valid)
    })
  }
})
