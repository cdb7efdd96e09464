/** What every Dns must do: SystemDns against a DNS server, and the fake that other tests use. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import type { Eventual } from '../../src/core/eventual.ts'
import type { Answer, Dns } from '../../src/dns/resolver.ts'
import { fakeDns } from '../helpers/fake-dns.ts'
import { ipOf, systemDnsAt } from './worlds.ts'

interface Subject extends AsyncDisposable {
  readonly dns: Dns
}

const subjects: Readonly<Record<string, () => Promise<Subject>>> = {
  async SystemDns() {
    return systemDnsAt({
      'PTR 1.2.0.192.in-addr.arpa': { values: ['Mail.Example.ORG', 'alias.example.net'] },
      [`PTR 1.0.0.0${'.0'.repeat(20)}.8.b.d.0.1.0.0.2.ip6.arpa`]: { values: ['six.example.org'] },
      'PTR 3.2.0.192.in-addr.arpa': 'SERVFAIL',
      'PTR 4.2.0.192.in-addr.arpa': { values: ['two words.example.org'] },
      'A mail.example.org': { values: ['192.0.2.1', '192.0.2.9'] },
      'AAAA mail.example.org': { values: ['2001:db8::1'] },
      'A xn--bcher-kva.example': { values: ['192.0.2.7'] },
      'A down.example.org': 'SERVFAIL',
      'TXT down.example.org': 'SERVFAIL',
      'MX down.example.org': 'SERVFAIL',
      'TXT example.org': { values: ['v=spf1 -all', `long ${'x'.repeat(300)}`] },
      'MX example.org': { values: ['20 second.example.org', '10 First.example.org'] },
      'MX null.example.org': { values: ['0 .'] },
    })
  },

  async fakeDns() {
    const dns = fakeDns({
      ptr: {
        '192.0.2.1': ['Mail.Example.ORG', 'alias.example.net'],
        '2001:db8:0::1': ['six.example.org'],
        '192.0.2.4': ['two words.example.org'],
      },
      a: { 'mail.example.org': ['192.0.2.1', '192.0.2.9'], 'bücher.example': ['192.0.2.7'] },
      aaaa: { 'mail.example.org': ['2001:db8::1'] },
      txt: { 'example.org': ['v=spf1 -all', `long ${'x'.repeat(300)}`] },
      mx: {
        'example.org': ['first.example.org', 'second.example.org'],
        'null.example.org': ['.'],
      },
      down: ['192.0.2.3', 'down.example.org'],
    })
    return { dns, async [Symbol.asyncDispose]() {} }
  },
}

type Question = (dns: Dns, signal: AbortSignal) => Eventual<Answer<string>>

const a = (name: string): Question => {
  return (dns, signal) => dns.addresses(name, 4, signal)
}
const ptr = (text: string): Question => {
  return (dns, signal) => dns.pointers(ipOf(text), signal)
}

const cases: Readonly<Record<string, { ask: Question; gets: readonly string[] | string }>> = {
  'names of an address, in lower case': {
    ask: ptr('192.0.2.1'),
    gets: ['mail.example.org', 'alias.example.net'],
  },
  'the name of an IPv6 address': { ask: ptr('2001:db8::1'), gets: ['six.example.org'] },
  'an address without a name': { ask: ptr('192.0.2.2'), gets: 'none' },
  'an address whose zone is down': { ask: ptr('192.0.2.3'), gets: 'unavailable' },
  'an address whose name is no host name': { ask: ptr('192.0.2.4'), gets: 'none' },
  'addresses of a name': { ask: a('mail.example.org'), gets: ['192.0.2.1', '192.0.2.9'] },
  'the same, spelt differently': { ask: a('MAIL.example.org.'), gets: ['192.0.2.1', '192.0.2.9'] },
  'an international name': { ask: a('Bücher.example'), gets: ['192.0.2.7'] },
  'an IPv6 address of a name': {
    ask: (dns, signal) => dns.addresses('mail.example.org', 6, signal),
    gets: ['2001:db8::1'],
  },
  'a name that is not there': { ask: a('nowhere.example.org'), gets: 'none' },
  'a name without records of this type': {
    ask: (dns, signal) => dns.texts('mail.example.org', signal),
    gets: 'none',
  },
  'a server that fails': { ask: a('down.example.org'), gets: 'unavailable' },
  'texts, put together': {
    ask: (dns, signal) => dns.texts('example.org', signal),
    gets: ['v=spf1 -all', `long ${'x'.repeat(300)}`],
  },
  'texts of a server that fails': {
    ask: (dns, signal) => dns.texts('down.example.org', signal),
    gets: 'unavailable',
  },
  'mail hosts, lowest preference first': {
    ask: (dns, signal) => dns.exchanges('example.org', signal),
    gets: ['first.example.org', 'second.example.org'],
  },
  'a null MX (RFC 7505)': {
    ask: (dns, signal) => dns.exchanges('null.example.org', signal),
    gets: ['.'],
  },
  'mail hosts of a server that fails': {
    ask: (dns, signal) => dns.exchanges('down.example.org', signal),
    gets: 'unavailable',
  },
  'the empty name': { ask: a(''), gets: 'none' },
  'a name with an empty label': { ask: a('mail..example.org'), gets: 'none' },
  'a label of 64': { ask: a(`${'x'.repeat(64)}.example.org`), gets: 'none' },
  'a name of 254': { ask: a(`${'x.'.repeat(126)}xx`), gets: 'none' },
  'a name with a line break': { ask: a('mail.example.org\r\n'), gets: 'none' },
  'an international name with a line break': { ask: a('Bücher.example\n'), gets: 'none' },
  'an international name with a slash': { ask: a('Bücher.example/x'), gets: 'none' },
  'an international name that percent hides': { ask: a('Bücher%2eexample'), gets: 'none' },
  'a name with an escape': { ask: a('mail\\000.example.org'), gets: 'none' },
}

for (const [name, subject] of Object.entries(subjects)) {
  describe(`${name}: contract of a Dns`, () => {
    for (const [label, { ask, gets }] of Object.entries(cases)) {
      it(`answers ${label}: ${typeof gets === 'string' ? gets : 'found'}`, async () => {
        await using at = await subject()
        const { signal } = new AbortController()
        const answer = await ask(at.dns, signal)
        if (typeof gets === 'string') assert.equal(answer.kind, gets)
        else assert.deepEqual(answer, { kind: 'found', records: gets })
        assert.equal(getEventListeners(signal, 'abort').length, 0)
      })
    }

    it('rejects with the reason of a signal that has aborted before', async () => {
      await using at = await subject()
      const signal = AbortSignal.abort(new Error('hung up'))
      for (const { ask } of Object.values(cases)) {
        await assert.rejects(async () => await ask(at.dns, signal), /hung up/)
      }
    })
  })
}
