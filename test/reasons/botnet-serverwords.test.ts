/** botnet-serverwords: an excuse, for confirmed names only. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { botnetServerwords } from '../../src/reasons/botnet-serverwords.ts'
import { found } from './botnet-worlds.ts'

const host = 'mail-192-0-2-1.example.net'

describe('botnet-serverwords', () => {
  it('is found in a name that leads back', async () => {
    assert.match((await found(botnetServerwords, { host })) ?? '', /^mail-192-0-2-1/)
  })

  it('is not found in a name that does not, or may not', async () => {
    const ptr = { '192.0.2.1': [host] }
    assert.equal(await found(botnetServerwords, { host: { ptr } }), null)
    assert.equal(await found(botnetServerwords, { host: { ptr, down: [host] } }), null)
    const exact = { exact: true }
    assert.notEqual(await found(botnetServerwords, { host: { ptr }, botnet: exact }), null)
  })

  it('is not found in the registered domain, nor inside of words', async () => {
    for (const name of ['www.mail.com', 'gmailer-x.example.net', 'static.email.co.uk']) {
      assert.equal(await found(botnetServerwords, { host: name }), null, name)
    }
  })

  it('excuses what is in the name and nothing else', () => {
    assert.deepEqual(botnetServerwords.excuses, ['botnet-ipinhostname', 'botnet-clientwords'])
  })
})
