/** [[reason]]: conditions of the config file, all of which must hold. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { ownReason, ownReasons } from '../../src/reasons/own-reason.ts'
import { fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, factsOf, senderOf, sharedOf, toolsFor } from './worlds.ts'

const ip = '192.0.2.1'
const facts = factsOf({ client: ip, helo: 'WIN-ABCDEFGHIJK', sender: senderOf('a@spam.example') })

describe('[[reason]]', () => {
  const cases = [
    { own: { ip: ['192.0.2.0/24'] }, stage: 'connect', is: 'in 192.0.2.0/24' },
    { own: { ip: ['198.51.100.0/24', '2001:db8::/32'] }, stage: 'connect', is: null },
    { own: { host: '^mail\\.' }, stage: 'connect', is: 'host mail.example.net' },
    { own: { host: '^smtp\\.' }, stage: 'connect', is: null },
    { own: { helo: '^win-[a-z0-9]{11}$' }, stage: 'helo', is: 'HELO WIN-ABCDEFGHIJK' },
    { own: { helo: '^win-[a-z0-9]{12}$' }, stage: 'helo', is: null },
    { own: { tls: false }, stage: 'helo', is: 'without TLS' },
    { own: { tls: true }, stage: 'helo', is: null },
    { own: { sender: '@spam\\.example$' }, stage: 'mail', is: 'sender a@spam.example' },
    { own: { sender: '^$' }, stage: 'mail', is: null },
    { own: { recipient: '^bob@' }, stage: 'rcpt', is: 'recipient bob@example.org' },
    {
      own: { ip: ['192.0.2.1'], helo: 'win', recipient: 'bob' },
      stage: 'rcpt',
      is: 'in 192.0.2.1, HELO WIN-ABCDEFGHIJK, recipient bob@example.org',
    },
    { own: { ip: ['192.0.2.2'], recipient: 'bob' }, stage: 'rcpt', is: null },
  ]
  for (const { own, stage, is } of cases) {
    it(`${JSON.stringify(own)} looks at ${stage} and finds ${is ?? 'nothing'}`, async () => {
      const [reason] = ownReasons(ownReason.parse({ name: 'mine', ...own }))
      assert.ok(reason)
      assert.equal(reason.stage, stage)
      const tools = toolsFor(ip, fakeDns(confirmed(ip, 'mail.example.net')))
      assert.equal(await reason.find(facts, tools), is)
    })
  }

  it('makes an excuse, for which a host name must be confirmed', async () => {
    const [reason] = ownReasons(
      ownReason.parse({ name: 'friends', host: 'example\\.net$', weight: 3, excuses: ['*'] }),
    )
    assert.ok(reason)
    assert.deepEqual([reason.excuses, reason.weight], [['*'], 3])
    const unconfirmed = fakeDns({ ptr: { [ip]: ['mail.example.net'] } })
    assert.equal(await reason.find(facts, toolsFor(ip, unconfirmed)), null)
    const good = fakeDns(confirmed(ip, 'mail.example.net'))
    assert.notEqual(await reason.find(facts, toolsFor(ip, good)), null)
  })

  it('is nothing when it is off', () => {
    assert.deepEqual(ownReasons(ownReason.parse({ name: 'x', helo: 'x', action: 'off' })), [])
  })

  const wrong = [
    ['helo = "("', /reason\[0\]\.helo: the pattern "\(" does not compile/],
    ['helo = "(?<=a)b"', /does not compile/],
    ['helo = "(a)\\\\1"', /does not compile/],
    ['ip = ["192.0.2.0/33"]', /expected an address or "192\.0\.2\.0\/24"/],
    ['weight = 3', /expected at least one of ip, host, helo/],
    ['hello = "x"', /unknown setting; did you mean "helo"/],
  ] as const
  for (const [line, what] of wrong) {
    it(`is an error at load, with the line: ${line}`, () => {
      const text = `[[reason]]\nname = "mine"\n${line}\n`
      assert.throws(() => parseConfig(configSchema, text, 'test.toml'), what)
    })
  }

  it('takes no exponential time for a pattern that is made to', async () => {
    const [reason] = ownReasons(ownReason.parse({ name: 'x', helo: '^(a+)+$' }))
    const slow = factsOf({ client: ip, helo: `${'a'.repeat(200)}!` })
    assert.equal(await reason?.find(slow, toolsFor(ip)), null)
    assert.equal(sharedOf().ownName, 'mx.example.org')
  })
})
