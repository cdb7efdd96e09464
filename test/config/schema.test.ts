/** The schema as a whole: what its tables promise together. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { needRestart } from '../../src/config/restart.ts'
import { configSchema, limitsOptions } from '../../src/config/schema.ts'
import { complaints } from './complaints.ts'

describe('[limits]', () => {
  it('says of a limit in another table where it belongs', () => {
    for (const [wrong, right] of [
      ['gate.connections_max', 'limits.connections_max'],
      ['smtp.size_max', 'limits.size_max'],
    ]) {
      assert.deepEqual(complaints(`${wrong} = 1`, { schema: configSchema }), [
        `t:1: ${wrong}: unknown setting here; did you mean ${right}?`,
      ])
    }
  })

  it('describes each limit, and has a default for each', () => {
    assert.deepEqual(
      Object.keys(parseConfig(configSchema, '', 't').limits),
      Object.keys(limitsOptions.shape),
    )
    for (const [name, { description }] of Object.entries(limitsOptions.shape)) {
      assert.ok(description, `limits.${name} has no description`)
    }
  })
})

describe('the tables together', () => {
  it('do not reserve every place for friends', () => {
    const limits = '[limits]\nconnections_max = 50\nreserved = 50\n'
    assert.deepEqual(complaints(limits, { schema: configSchema }), [])
    const said = complaints(`gate.known_good = "x"\n${limits}`, { schema: configSchema })
    assert.deepEqual(said, [
      't:4: limits.reserved: 50 is wrong: expected less than limits.connections_max',
    ])
  })
})

describe('what would not do what it says', () => {
  const both = 'listen.addresses = ["127.0.0.1:25"]\nlisten.tls_addresses = ["[::1]:465"]\n'
  const cases = [
    ['listen.addresses = ["127.0.0.1:70000"]', /^t:1: listen\.addresses\[0\]: .*"address:port"/],
    ['listen.addresses = ["999.1.1.1:25"]', /^t:1: listen\.addresses\[0\]: .*"address:port"/],
    ['listen.addresses = ["127.0.0.1:25", "127.0.0.1:25"]', /expected each address once/],
    ['listen.tls_addresses = ["0.0.0.0:25"]', /expected each address once/],
    ['backend.addresses = ["mail.example.org:0"]', /^t:1: backend\.addresses\[0\]: .*"host:port"/],
    [`${both}backend.addresses = ["127.0.0.1:25"]`, /^t:3: backend\.addresses: .*in circles/],
    [`${both}backend.addresses = ["192.0.2.1:25", "[::1]:465"]`, /in circles/],
    ['listen.xclient_from = ["0.0.0.0/0"]', /^t:1: listen\.xclient_from\[0\]: .*at most a \/8/],
    ['listen.proxy_protocol_from = ["10.0.0.0/8", "2000::/3"]', /proxy_protocol_from\[1\]: /],
    ['recipients."user@example.net".actions = {}', /expected a domain such as "example\.net"/],
    ['recipients."example.net.".actions = {}', /expected a domain such as "example\.net"/],
    ['backend.recipient_domains = ["example.net."]', /^t:1: .*\[0\].*expected a domain such as/],
    ['backend.recipient_domains = ["a.example,b.example"]', /expected a domain such as/],
    ['backend.recipient_domains = ["*"]', /expected a domain such as/],
    ['admin.listen = "8025"', /^t:1: admin\.listen: .*expected "address:port" or ""/],
    ['admin.listen = "0.0.0.0:8025"', /token_file: .*expected a file with a secret/],
    ['delay.never_for = ["abuse@example.net"]', /expected a local part such as "postmaster"/],
    ['reasons.botnet.pass_ip = ["^("]', /^t:1: .*"\^\(" does not compile: .*missing closing \)/],
    [
      'tls.sni."a b" = { certificate = "c", key = "k" }',
      /expected a name such as "mx\.example\.com"/,
    ],
    ['reasons.lists.x = { zone = "z", codes = ["10.0.0.1"] }', /"127\.0\.0\.2" or/],
  ] as const
  for (const [toml, said] of cases) {
    it(`is an error: ${toml.split('\n').at(-1)}`, () => {
      const complained = complaints(toml, { schema: configSchema })
      assert.equal(complained.length, 1, complained.join('\n'))
      assert.match(complained[0] ?? '', said)
    })
  }

  it('is none of these', () => {
    const fine = [
      'listen.addresses = ["127.0.0.1:0", "127.0.0.1:0", "0.0.0.0:26"]',
      'listen.tls_addresses = ["[::]:465"]',
      'listen.xclient_from = ["10.0.0.0/8", "fc00::/7", "192.0.2.1"]',
      'backend.addresses = ["127.0.0.1:26", "192.0.2.1:25", "localhost:25"]',
      'backend.recipient_domains = ["Example.org", "*.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]", "bücher.example", "localhost"]',
      'recipients."xn--bcher-kva.example".actions = {}',
      'recipients."[192.0.2.1]".actions = {}',
    ]
    assert.deepEqual(complaints(fine.join('\n'), { schema: configSchema }), [])
  })
})

describe('needRestart', () => {
  it('names what a reload cannot bring, and nothing else', () => {
    const read = (toml: string) => parseConfig(configSchema, toml, 't')
    const running = read('')
    assert.deepEqual(needRestart(running, read('delay.slots = 7\nlog.level = "debug"')), [])
    const other = 'listen.addresses = ["0.0.0.0:26"]\nmemory.file = "x"\nlog.format = "pretty"'
    assert.deepEqual(needRestart(running, read(other)), [
      ...['listen.addresses', 'memory.file', 'log.format'],
    ])
  })
})
