/** hostname-dsl-or-dialup, and where it differs from the pattern of 2004 (facts.md 2.8, row 3). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostnameDslOrDialup, lineWord } from '../../src/reasons/hostname-dsl-or-dialup.ts'
import { ipOf } from '../dns/worlds.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, sharedOf, toolsFor } from './worlds.ts'

const client = '192.0.2.1'

/** `word`: what our rule finds; `then`: whether the pattern of 2004 finds the name. */
const names = [
  { name: 'dialup-free-349.nmsu.edu', word: 'dialup', then: true, because: 'of the seed' },
  { name: 'adsl-70-240-12-34.dsl.hstntx.swbell.net', word: 'adsl', then: true, because: 'ADSL' },
  { name: 'dsl-189-133-61-53.prod.example.mx', word: 'dsl', then: true, because: 'DSL' },
  { name: 'x.dialin.example.net', word: 'dialin', then: true, because: 'a dial-in' },
  { name: 'dial-1.example.net', word: 'dial', then: true, because: 'a dial-up' },
  { name: 'dial.isp.example.net', word: 'dial', then: true, because: 'a dial-up' },
  { name: 'a.adsl.isp.co.uk', word: 'adsl', then: true, because: 'below the registered isp.co.uk' },

  { name: 'xdsl-1.example.net', word: 'xdsl', then: false, because: 'words of today' },
  { name: 'a.vdsl.example.net', word: 'vdsl', then: false, because: 'words of today' },
  { name: 'sdsl1.example.net', word: 'sdsl', then: false, because: 'words of today' },
  { name: 'hostadsl.example.net', word: 'hostadsl', then: false, because: 'a label may be joined' },
  { name: 'host_adsl.example.net', word: 'adsl', then: false, because: '_ parts words' },
  { name: 'dial5.example.net', word: 'dial', then: false, because: 'a digit ends a word' },
  { name: 'dial45-114.sion.net', word: 'dial', then: false, because: 'a digit ends a word' },
  { name: 'a.cable.ntl.example.net', word: 'cable', then: false, because: 'words of today' },
  { name: 'dhcp-7.example.net', word: 'dhcp', then: false, because: 'words of today' },
  { name: 'dyn-192-0-2-1.example.net', word: 'dyn', then: false, because: 'words of today' },
  { name: 'a.dynamic.example.net', word: 'dynamic', then: false, because: 'words of today' },
  { name: 'pool-71-1-2-3.nyc.example.net', word: 'pool', then: false, because: 'words of today' },
  { name: 'a.pools.arcor-ip.net', word: 'pools', then: false, because: 'words of today' },
  { name: 'ppp1.example.net', word: 'ppp', then: false, because: 'words of today' },
  { name: 'pppoe.example.net', word: 'pppoe', then: false, because: 'words of today' },

  { name: 'mail.dsl.net', word: null, then: true, because: 'the registered domain is no line' },
  { name: 'dslreports.com', word: null, then: true, because: 'the registered domain is no line' },
  { name: 'www.dslreports.com', word: null, then: true, because: 'nor is it below www' },
  { name: 'mail.t-dialin.net', word: null, then: true, because: 'nor has it any line words below' },
  { name: 'mail.dsl.co.uk', word: null, then: true, because: 'registered below a shared domain' },
  { name: 'dsl.co.uk', word: null, then: true, because: 'the registered domain is no line' },
  { name: 'mail.cable.com.br', word: null, then: false, because: 'registered below com.br' },
  { name: 'mail.dialindia.com', word: null, then: true, because: 'the registered domain again' },
  { name: 'dialindia.example.net', word: null, then: true, because: 'words are whole' },
  { name: 'dslam-console.example.net', word: null, then: true, because: 'words are whole' },
  { name: 'dialog.example.net', word: null, then: false, because: 'words are whole' },
  { name: 'friendslist.example.net', word: null, then: false, because: 'words are whole' },
  { name: 'carpool.example.net', word: null, then: false, because: 'words are whole' },
  { name: 'mxpool01.example.com', word: null, then: false, because: 'words are whole' },
  { name: 'cablelink.example.net', word: null, then: false, because: 'words are whole' },
  { name: 'dynasty.example.net', word: null, then: false, because: 'words are whole' },
  { name: 'mail.example.net', word: null, then: false, because: 'there is no such word' },
  { name: 'localhost', word: null, then: false, because: 'there is no such word' },
  { name: 'dsl', word: null, then: true, because: 'one label is all there is' },
]

describe('hostname-dsl-or-dialup', () => {
  for (const { name, word, then, because } of names) {
    it(`${name} has ${word ?? 'no word'}: ${because}`, async () => {
      assert.equal(lineWord(name), word)
      const evidence = word === null ? null : `${name} has "${word}"`
      assert.equal(await find(confirmed(client, name)), evidence)
    })
    it(`${name} is ${then ? '' : 'not '}found with flavell_exact`, async () => {
      assert.equal(await find(confirmed(client, name), true), then ? name : null)
    })
  }

  /** `now` and `then`: the evidence of our rule, and that of the recipe. */
  const dslName = 'a.dsl.example.net'
  const worlds: readonly {
    dns: FakeRecords
    now: string | null
    then: string | null
    because: string
  }[] = [
    { dns: {}, now: null, then: null, because: 'it has no name' },
    { dns: { down: [client] }, now: null, then: null, because: 'a DNS that fails proves nothing' },
    {
      dns: { ptr: { [client]: [dslName] } },
      now: `${dslName} has "dsl"`,
      then: null,
      because: 'Exim sees confirmed names only; a name that accuses need not be',
    },
    {
      dns: { ptr: { [client]: [dslName] }, down: [dslName] },
      now: `${dslName} has "dsl"`,
      then: null,
      because: 'its owner called it so, whether or not the name leads back',
    },
    {
      dns: {
        ptr: { [client]: ['mail.example.net', dslName] },
        a: { 'mail.example.net': [client], [dslName]: [client] },
      },
      now: `${dslName} has "dsl"`,
      then: null,
      because: 'the second name is an alias, which $sender_host_name does not show',
    },
    {
      dns: {
        ptr: { [client]: ['mail.example.net', dslName] },
        a: { [dslName]: [client] },
      },
      now: `${dslName} has "dsl"`,
      then: dslName,
      because: 'an unconfirmed first name is replaced by a confirmed alias',
    },
    {
      dns: { ptr: { [client]: ['ADSL-1.Example.NET.'] }, a: { 'adsl-1.example.net': [client] } },
      now: 'adsl-1.example.net has "adsl"',
      then: 'adsl-1.example.net',
      because: 'names are read in lower case',
    },
  ]
  for (const { dns, now, then, because } of worlds) {
    it(`${now ?? 'nothing'} now, ${then ?? 'nothing'} then: ${because}`, async () => {
      assert.equal(await find(dns), now)
      assert.equal(await find(dns, true), then)
    })
  }

  it('is about IPv6 as well, and has no header', async () => {
    const { find: judge, header } = prepared(false)
    const ip = '2001:db8::1'
    const tools = toolsFor(ip, fakeDns(confirmed(ip, dslName)))
    assert.equal(await judge({ client: ipOf(ip) }, tools), `${dslName} has "dsl"`)
    assert.equal(header, undefined)
  })
})

async function find(dns: FakeRecords, flavellExact = false) {
  return await prepared(flavellExact).find({ client: ipOf(client) }, toolsFor(client, fakeDns(dns)))
}

function prepared(flavellExact: boolean) {
  const options = hostnameDslOrDialup.options.parse({})
  return hostnameDslOrDialup.prepare(options, sharedOf({ flavellExact }))
}
