/** hostname-dsl-or-dialup, and where it differs from the pattern of 2004 (facts.md 2.8, row 3). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostnameDslOrDialup, lineWord } from '../../src/reasons/hostname-dsl-or-dialup.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, factsOf, sharedOf, toolsFor } from './worlds.ts'

const client = '192.0.2.1'

/** `word`: what our rule finds; `seed`: whether the pattern of 2004 finds the name. */
const names = [
  { name: 'dialup-free-349.nmsu.edu', word: 'dialup', seed: true, because: 'of the seed' },
  { name: 'adsl-70-240-12-34.dsl.hstntx.swbell.net', word: 'adsl', seed: true, because: 'ADSL' },
  { name: 'dsl-189-133-61-53.prod.example.mx', word: 'dsl', seed: true, because: 'DSL' },
  { name: 'x.dialin.example.net', word: 'dialin', seed: true, because: 'a dial-in' },
  { name: 'dial-1.example.net', word: 'dial', seed: true, because: 'a dial-up' },
  { name: 'dial.isp.example.net', word: 'dial', seed: true, because: 'a dial-up' },
  { name: 'a.adsl.isp.co.uk', word: 'adsl', seed: true, because: 'below the registered isp.co.uk' },

  { name: 'xdsl-1.example.net', word: 'xdsl', seed: false, because: 'words of today' },
  { name: 'a.vdsl.example.net', word: 'vdsl', seed: false, because: 'words of today' },
  { name: 'sdsl1.example.net', word: 'sdsl', seed: false, because: 'words of today' },
  { name: 'hostadsl.example.net', word: 'hostadsl', seed: false, because: 'a label may be joined' },
  { name: 'host_adsl.example.net', word: 'adsl', seed: false, because: '_ parts words' },
  { name: 'dial5.example.net', word: 'dial', seed: false, because: 'a digit ends a word' },
  { name: 'dial45-114.sion.net', word: 'dial', seed: false, because: 'a digit ends a word' },
  { name: 'a.cable.ntl.example.net', word: 'cable', seed: false, because: 'words of today' },
  { name: 'dhcp-7.example.net', word: 'dhcp', seed: false, because: 'words of today' },
  { name: 'dyn-192-0-2-1.example.net', word: 'dyn', seed: false, because: 'words of today' },
  { name: 'a.dynamic.example.net', word: 'dynamic', seed: false, because: 'words of today' },
  { name: 'pool-71-1-2-3.nyc.example.net', word: 'pool', seed: false, because: 'words of today' },
  { name: 'a.pools.arcor-ip.net', word: 'pools', seed: false, because: 'words of today' },
  { name: 'ppp1.example.net', word: 'ppp', seed: false, because: 'words of today' },
  { name: 'pppoe.example.net', word: 'pppoe', seed: false, because: 'words of today' },

  { name: 'mail.dsl.net', word: null, seed: true, because: 'the registered domain is no line' },
  { name: 'dslreports.com', word: null, seed: true, because: 'the registered domain is no line' },
  { name: 'www.dslreports.com', word: null, seed: true, because: 'nor is it below www' },
  { name: 'mail.t-dialin.net', word: null, seed: true, because: 'nor has it any line words below' },
  { name: 'mail.dsl.co.uk', word: null, seed: true, because: 'registered below a shared domain' },
  { name: 'dsl.co.uk', word: null, seed: true, because: 'the registered domain is no line' },
  { name: 'mail.cable.com.br', word: null, seed: false, because: 'registered below com.br' },
  { name: 'mail.dialindia.com', word: null, seed: true, because: 'the registered domain again' },
  { name: 'dialindia.example.net', word: null, seed: true, because: 'words are whole' },
  { name: 'dslam-console.example.net', word: null, seed: true, because: 'words are whole' },
  { name: 'dialog.example.net', word: null, seed: false, because: 'words are whole' },
  { name: 'friendslist.example.net', word: null, seed: false, because: 'words are whole' },
  { name: 'carpool.example.net', word: null, seed: false, because: 'words are whole' },
  { name: 'mxpool01.example.com', word: null, seed: false, because: 'words are whole' },
  { name: 'cablelink.example.net', word: null, seed: false, because: 'words are whole' },
  { name: 'dynasty.example.net', word: null, seed: false, because: 'words are whole' },
  { name: 'mail.example.net', word: null, seed: false, because: 'there is no such word' },
  { name: 'localhost', word: null, seed: false, because: 'there is no such word' },
  { name: 'dsl', word: null, seed: true, because: 'one label is all there is' },
]

describe('hostname-dsl-or-dialup', () => {
  for (const { name, word, seed, because } of names) {
    it(`${name} has ${word ?? 'no word'}: ${because}`, async () => {
      assert.equal(lineWord(name), word)
      const evidence = word === null ? null : `${name} has "${word}"`
      assert.equal(await find(confirmed(client, name)), evidence)
    })
    it(`${name} is ${seed ? '' : 'not '}found with flavell_exact`, async () => {
      assert.equal(await find(confirmed(client, name), true), seed ? name : null)
    })
  }

  /** `ours` and `seed`: the evidence of our rule, and that of the recipe. */
  const dslName = 'a.dsl.example.net'
  const worlds: readonly {
    dns: FakeRecords
    ours: string | null
    seed: string | null
    because: string
  }[] = [
    { dns: {}, ours: null, seed: null, because: 'it has no name' },
    { dns: { down: [client] }, ours: null, seed: null, because: 'a DNS that fails proves nothing' },
    {
      dns: { ptr: { [client]: [dslName] } },
      ours: `${dslName} has "dsl"`,
      seed: null,
      because: 'Exim sees confirmed names only; a name that accuses need not be',
    },
    {
      dns: { ptr: { [client]: [dslName] }, down: [dslName] },
      ours: `${dslName} has "dsl"`,
      seed: null,
      because: 'its owner called it so, whether or not the name leads back',
    },
    {
      dns: {
        ptr: { [client]: ['mail.example.net', dslName] },
        a: { 'mail.example.net': [client], [dslName]: [client] },
      },
      ours: `${dslName} has "dsl"`,
      seed: null,
      because: 'the second name is an alias, which $sender_host_name does not show',
    },
    {
      dns: {
        ptr: { [client]: ['mail.example.net', dslName] },
        a: { [dslName]: [client] },
      },
      ours: `${dslName} has "dsl"`,
      seed: dslName,
      because: 'an unconfirmed first name is replaced by a confirmed alias',
    },
    {
      dns: { ptr: { [client]: ['ADSL-1.Example.NET.'] }, a: { 'adsl-1.example.net': [client] } },
      ours: 'adsl-1.example.net has "adsl"',
      seed: 'adsl-1.example.net',
      because: 'names are read in lower case',
    },
  ]
  for (const { dns, ours, seed, because } of worlds) {
    it(`${ours ?? 'nothing'} now, ${seed ?? 'nothing'} seed: ${because}`, async () => {
      assert.equal(await find(dns), ours)
      assert.equal(await find(dns, true), seed)
    })
  }

  /** What a small server on such a line says, and where the name leads. */
  const hellos: readonly { helo: string; dns?: FakeRecords; is: boolean; because: string }[] = [
    { helo: dslName, is: true, because: 'it has no other name than that of the line' },
    { helo: 'b.example.net', is: true, because: 'that is a name of the same provider' },
    { helo: 'friend', is: true, because: 'that is no name' },
    { helo: '[192.0.2.1]', is: true, because: 'that is no name either' },
    { helo: 'x.adsl.example.org', is: true, because: 'that is the name of another such line' },
    { helo: 'mail.example.org', is: true, because: 'the name is not its own: it leads nowhere' },
    {
      helo: 'mail.example.org',
      dns: { a: { 'mail.example.org': [client] } },
      is: false,
      because: 'it has a name of its own, which leads here',
    },
    {
      helo: 'mail.example.org',
      dns: { a: { 'mail.example.org': ['192.0.2.2'] } },
      is: true,
      because: 'the name is somebody else',
    },
    {
      helo: 'mail.example.org',
      dns: { down: ['mail.example.org'] },
      is: false,
      because: 'a DNS that fails proves nothing',
    },
  ]
  for (const { helo, dns = {}, is, because } of hellos) {
    it(`${is ? 'counts' : 'does not count'} with HELO ${helo}: ${because}`, async () => {
      const evidence = await find({ ptr: { [client]: [dslName] }, ...dns }, false, helo)
      assert.equal(evidence, is ? `${dslName} has "dsl"` : null)
    })
  }

  it('is about IPv6 as well, and has no header', async () => {
    const { find: judge, header } = prepared(false)
    const ip = '2001:db8::1'
    const tools = toolsFor(ip, fakeDns(confirmed(ip, dslName)))
    assert.equal(
      await judge(factsOf({ client: ip, helo: 'friend' }), tools),
      `${dslName} has "dsl"`,
    )
    assert.equal(header, undefined)
  })
})

async function find(dns: FakeRecords, flavellExact = false, helo = 'friend') {
  return await prepared(flavellExact).find(
    factsOf({ client, helo }),
    toolsFor(client, fakeDns(dns)),
  )
}

function prepared(flavellExact: boolean) {
  const options = hostnameDslOrDialup.options.parse({})
  return hostnameDslOrDialup.prepare(options, sharedOf({ flavellExact }))
}
