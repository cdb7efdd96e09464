/** Botnet's settings: whom its reasons apply to, and what words count where. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { botnetOf, botnetOptions } from '../../src/reasons/botnet.ts'
import { botnetClient } from '../../src/reasons/botnet-client.ts'
import { ipOf } from '../dns/worlds.ts'
import { found } from './botnet-worlds.ts'

const line = 'dsl-192-0-2-1.pool.example.net'

describe('botnet', () => {
  const cases = [
    { botnet: { pass_ip: ['192.0.2.0/24'] }, is: false, because: 'its network passes' },
    { botnet: { pass_ip: ['^192\\.0\\.2\\.1$'] }, is: false, because: 'a pattern passes it' },
    { botnet: { skip_ip: ['192.0.2.1'] }, is: false, because: 'its address is skipped' },
    { botnet: { pass_ip: [], skip_ip: [] }, is: true, because: 'empty lists match nothing' },
    { botnet: { pass_domains: [] }, is: true, because: 'an empty list matches nothing' },
    { botnet: { pass_domains: ['example\\.net'] }, is: false, because: 'its domain passes' },
    { botnet: { pass_domains: ['ample\\.net'] }, is: true, because: 'a domain is a whole one' },
    { botnet: { clientwords: [] }, is: true, because: 'the address is in the name all the same' },
    { botnet: { serverwords: [] }, is: true, because: 'an empty list excuses nobody' },
    { botnet: { serverwords: ['pool'] }, is: false, because: 'the operator says what serves' },
  ]
  for (const { botnet, is, because } of cases) {
    it(`${is ? 'judges' : 'does not judge'} with ${JSON.stringify(botnet)}: ${because}`, async () => {
      assert.equal((await found(botnetClient, { host: line, botnet })) !== null, is)
      const letter = await found(botnetClient, { host: line, botnet: { ...botnet, exact: true } })
      assert.equal(letter !== null, is, 'to the letter')
    })
  }

  it('passes a domain only by a confirmed name, unless to the letter', async () => {
    const host = { ptr: { '192.0.2.1': ['dsl-192-0-2-1.pool.amazon.com'] } }
    assert.notEqual(await found(botnetClient, { host }), null)
    assert.equal(await found(botnetClient, { host, botnet: { exact: true } }), null)
  })

  it('judges nobody in particular by default: private addresses are skipped', async () => {
    for (const ip of ['10.1.2.3', '172.16.0.9', '192.168.1.1', '127.0.0.1', '::1', 'fd00::1']) {
      assert.equal(await found(botnetClient, { ip, host: 'dsl.pool.example.net' }), null, ip)
    }
  })

  it('refuses patterns that do not compile, and addresses that are none', () => {
    for (const table of [
      { clientwords: ['('] },
      { serverwords: ['(?=x)'] },
      { pass_domains: ['['] },
      { pass_ip: ['192.0.2.0/33'] },
      { skip_ip: ['nobody'] },
    ]) {
      assert.equal(botnetOptions.safeParse(table).success, false, JSON.stringify(table))
    }
  })

  it('knows the words of large senders in their names', () => {
    const botnet = botnetOf(botnetOptions.parse({}))
    for (const [name, ip] of [
      ['o167-89-97-77.outbound-mail.sendgrid.net', '167.89.97.77'],
      ['mail-oa1-f41.google.com', '209.85.160.41'],
      ['mail-dm6nam12on2041.outbound.protection.outlook.com', '40.107.243.41'],
      ['a8-45.smtp-out.amazonses.com', '54.240.8.45'],
      ['mail45.mcsv.net', '198.2.128.45'],
      ['sonic301-20.consmr.mail.ne1.yahoo.com', '66.163.184.20'],
      ['mail-40134.protonmail.ch', '185.70.40.134'],
      ['out3-smtp.messagingengine.com', '66.111.4.27'],
    ] as const) {
      assert.equal(botnet.looksLikeClient(name, ipOf(ip)), null, name)
    }
  })
})
