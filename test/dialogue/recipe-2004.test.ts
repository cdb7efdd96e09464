/**
 * What is wrong with the recipe of 2004, as measured, and how the defaults mend it; and that
 * flavell_exact gives the patterns back to the letter.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startProxy } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'

interface Case {
  readonly helo: string
  readonly from?: string
  readonly name?: string
  /** Reasons with the defaults. */
  readonly mended: readonly string[]
  /** Reasons with the patterns of 2004. */
  readonly exact: readonly string[]
  readonly because: string
}

const unqual = ['unqual-helo']
const line = ['hostname-dsl-or-dialup']

const cases: readonly Case[] = [
  { helo: 'mail.example.org', mended: [], exact: [], because: 'a qualified name' },
  { helo: 'MarineGuy', mended: unqual, exact: unqual, because: "the seed's own sample" },
  {
    helo: '[192.0.2.7]',
    mended: [],
    exact: unqual,
    because: 'a literal of the client (RFC 5321 4.1.4)',
  },
  { helo: '[192.0.2.70]', mended: unqual, exact: unqual, because: "somebody else's literal" },
  {
    helo: '[IPv6:2001:db8::1]',
    from: '2001:db8::1',
    mended: [],
    exact: unqual,
    because: 'an IPv6 literal',
  },
  {
    helo: '[ipv6:2001:DB8:0::1]',
    from: '2001:db8::1',
    mended: [],
    exact: unqual,
    because: 'in another spelling',
  },
  {
    helo: 'mail_1.example.org',
    mended: [],
    exact: unqual,
    because: 'an underscore in the first label',
  },
  { helo: 'bücher.example.org', mended: [], exact: unqual, because: 'an internationalized name' },
  { helo: '192.0.2.7', mended: unqual, exact: [], because: 'a bare address is no name' },
  { helo: 'localhost.localdomain', mended: unqual, exact: [], because: 'the name everybody has' },
  { helo: '-.x', mended: unqual, exact: [], because: 'no label begins with a hyphen' },
  { helo: 'a.b', mended: unqual, exact: [], because: 'no top-level domain has one letter' },
  { helo: '.example.org', mended: unqual, exact: unqual, because: 'an empty label' },
  ...[
    'xdsl',
    'vdsl-7',
    'sdsl',
    'hostadsl',
    'host_adsl',
    'dial5',
    'cable-7',
    'dhcp',
    'dyn',
    'pool',
  ].map((label) => ({
    helo: 'mail.example.org',
    name: `${label}.isp.example`,
    mended: line,
    exact: [],
    because: `2004 did not know ${label}`,
  })),
  {
    helo: 'mail.example.org',
    name: 'adsl-7.isp.example',
    mended: line,
    exact: line,
    because: 'both know it',
  },
  {
    helo: 'mail.example.org',
    name: 'mail.dsl.example',
    mended: [],
    exact: line,
    because: 'the registered domain says nothing',
  },
  {
    helo: 'mail.example.org',
    name: 'dslreports.example',
    mended: [],
    exact: line,
    because: 'nor here',
  },
  {
    helo: 'mail.example.org',
    name: 'dialindia.isp.example',
    mended: [],
    exact: line,
    because: 'it is no dial-in',
  },
]

describe('the recipe of 2004', () => {
  for (const { helo, from = '192.0.2.7', name, mended, exact, because } of cases) {
    for (const [flavellExact, expected] of [
      [false, mended],
      [true, exact],
    ] as const) {
      const taste = flavellExact ? '2004' : 'today'
      it(`${taste}: ${helo} ${name ?? ''}: ${expected.join() || 'no reason'}: ${because}`, async () => {
        const { reasons, waitedMs } = await offerFrom(
          from,
          helo,
          name,
          `reasons.flavell_exact = ${flavellExact}`,
        )
        assert.deepEqual(reasons, expected)
        assert.equal(waitedMs, expected.length === 0 ? 0 : 90_000)
      })
    }
  }

  it('judged only confirmed names; a name that accuses need not be', async () => {
    const unconfirmed = { ptr: { '192.0.2.7': ['adsl-7.isp.example'] } }
    for (const [flavellExact, expected] of [
      [false, line],
      [true, []],
    ] as const) {
      const { reasons } = await offer(
        '192.0.2.7',
        'mail.example.org',
        unconfirmed,
        `reasons.flavell_exact = ${flavellExact}`,
      )
      assert.deepEqual(reasons, expected)
    }
  })

  it('gives both reasons of its second sample', async () => {
    const { reasons } = await offerFrom(
      '128.123.221.93',
      'computer',
      'dialup-free-349.nmsu.example',
      '',
    )
    assert.deepEqual(reasons, ['unqual-helo', 'hostname-dsl-or-dialup'])
  })

  it('took a time-out of HELO verification as evidence; it is none', async () => {
    const down = { ptr: {}, down: ['hotmail.com'] }
    const { reasons } = await offer('192.0.2.7', 'hotmail.com', down, '')
    assert.deepEqual(reasons, [])
    const elsewhere = { a: { 'hotmail.com': ['198.51.100.1'] } }
    assert.deepEqual((await offer('192.0.2.7', 'HotMail.com', elsewhere, '')).reasons, [
      'helo-no-jive',
    ])
    const there = { a: { 'hotmail.com': ['198.51.100.1', '192.0.2.7'] } }
    assert.deepEqual((await offer('192.0.2.7', 'hotmail.com', there, '')).reasons, [])
  })

  it('asked SORBS, which is gone; the Spamhaus answers that mean the same count, errors do not', async () => {
    for (const [answer, expected] of [
      ['127.0.0.10', ['sorbs-dul']],
      ['127.0.0.11', ['sorbs-dul']],
      ['127.0.0.2', []],
      ['127.255.255.254', []],
      ['203.0.113.80', []],
    ] as const) {
      const dns = {
        a: {
          '2.0.0.127.pbl.spamhaus.org': ['127.0.0.10'],
          '7.2.0.192.pbl.spamhaus.org': [answer],
        },
      }
      const { reasons } = await offer('192.0.2.7', 'mail.example.org', dns, '')
      assert.deepEqual(reasons, expected, answer)
    }
  })

  it('is off for hosts whose HELO is accepted as junk, by address and by confirmed name', async () => {
    const files = {
      dubious_helo: '',
      helo_accept_junk_hosts: '192.0.2.7 # the printer\n*.junk.example\n',
    }
    const named = {
      ptr: { '192.0.2.8': ['a.junk.example'], '192.0.2.9': ['b.junk.example'] },
      a: { 'a.junk.example': ['192.0.2.8'] },
    }
    assert.deepEqual((await offer('192.0.2.7', 'printer', {}, '', files)).reasons, [])
    assert.deepEqual((await offer('192.0.2.8', 'printer', named, '', files)).reasons, [])
    assert.deepEqual(
      (await offer('192.0.2.9', 'printer', named, '', files)).reasons,
      unqual,
      'forged name',
    )
  })

  it('is for screened hosts only, where there is such a list', async () => {
    const files = {
      dubious_helo: '',
      helo_accept_junk_hosts: '',
      screened: '!192.0.2.7\n192.0.2.0/24\n',
    }
    const config = 'reasons.screened = "screened"'
    assert.deepEqual((await offer('192.0.2.7', 'printer', {}, config, files)).reasons, [])
    assert.deepEqual((await offer('192.0.2.8', 'printer', {}, config, files)).reasons, unqual)
    assert.deepEqual((await offer('198.51.100.8', 'printer', {}, config, files)).reasons, [])
  })
})

function offerFrom(from: string, helo: string, name: string | undefined, config: string) {
  if (name === undefined) return offer(from, helo, {}, config)
  return offer(from, helo, { ptr: { [from]: [name] }, a: { [name]: [from] } }, config)
}

/** Offers one message and tells which reasons were found and how long it took. */
async function offer(
  from: string,
  helo: string,
  dns: Parameters<typeof startProxy>[0]['dns'],
  config: string,
  files?: Readonly<Record<string, string>>,
): Promise<{ reasons: string[]; waitedMs: number }> {
  await using backend = await startBackend()
  await using proxy = await startProxy({
    backend: backend.address,
    config,
    ...(dns === undefined ? {} : { dns }),
    ...(files === undefined ? {} : { files }),
  })
  const client = await proxy.connectFrom(from)
  await client.hears('220 ')
  client.says(Buffer.from(`EHLO ${helo}\r\n`))
  await client.hears('250-')
  client.says('MAIL FROM:<a@b.example>')
  await client.hears('250 ')
  client.says('RCPT TO:<u@example.net>')
  const startedAt = proxy.clock.now()
  await client.hearsEventually('250 ')
  const waitedMs = proxy.clock.now() - startedAt
  client.leaves()
  const { entries } = await proxy.ledger()
  const reasons = entries.filter(({ stage }) => stage === 'rcpt').flatMap((entry) => entry.reasons)
  return { reasons: reasons.map(({ name }) => name), waitedMs }
}
