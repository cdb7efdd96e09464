/** botnet-clientwords: whole words below the registered domain. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { botnetClientwords } from '../../src/reasons/botnet-clientwords.ts'
import { found } from './botnet-worlds.ts'

describe('botnet-clientwords', () => {
  const words =
    'adsl vdsl internetdsl dialup cable catv dhcp ddns dyn dynamic ppp pppoe pool res cust'
  for (const word of words.split(' ')) {
    it(`knows ${word}, with digits and separators around it`, async () => {
      for (const host of [
        `${word}.isp.co.uk`,
        `x-${word}12.example.net`,
        `a_${word}_b.example.net`,
      ]) {
        assert.notEqual(await found(botnetClientwords, { host }), null, host)
      }
    })
  }

  for (const host of [
    'mail.dsl.co.uk',
    'dsl.co.uk',
    'www.cable.com',
    'friendslist.example.net',
    'resource.example.net',
    'dynasty.example.net',
    'carpool.example.net',
    'static.example.net',
    'mail.example.net',
  ]) {
    it(`has nothing to say of ${host}`, async () => {
      assert.equal(await found(botnetClientwords, { host }), null)
    })
  }

  it('takes the words of the operator, and none for an empty list', async () => {
    const host = 'wohnheim-7.example.net'
    const own = { clientwords: ['wohnheim'] }
    assert.equal(await found(botnetClientwords, { host, botnet: own }), `${host} has "wohnheim"`)
    const none = { clientwords: [] }
    assert.equal(await found(botnetClientwords, { host: 'dsl.example.net', botnet: none }), null)
  })
})
