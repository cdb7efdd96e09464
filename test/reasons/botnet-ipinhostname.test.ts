/** botnet-ipinhostname: see name-shape.test.ts and botnet-letter.test.ts for what counts. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { botnetIpinhostname } from '../../src/reasons/botnet-ipinhostname.ts'
import { found } from './botnet-worlds.ts'

describe('botnet-ipinhostname', () => {
  it('says which part of which name', async () => {
    const host = 'x-192-0-2-1.example.net'
    assert.equal(await found(botnetIpinhostname, { host }), `${host} has "192-0-2"`)
  })

  it('is mended, and to the letter on demand', async () => {
    const situation = { ip: '54.240.8.45', host: 'a8-45.x.example.net' }
    assert.equal(await found(botnetIpinhostname, situation), null)
    const letter = await found(botnetIpinhostname, { ...situation, botnet: { exact: true } })
    assert.equal(letter, 'a8-45.x.example.net has "54.240.8.45"')
  })

  it('spares a host that has a name of its own as well', async () => {
    const names = ['x-192-0-2-1.example.net', 'www.example.org']
    const a = Object.fromEntries(names.map((name) => [name, ['192.0.2.1']]))
    assert.equal(
      await found(botnetIpinhostname, { host: { ptr: { '192.0.2.1': names }, a } }),
      null,
    )
  })

  it('counts names that do not lead back only where there are no others', async () => {
    const ptr = { '192.0.2.1': ['x-192-0-2-1.example.net', 'www.example.org'] }
    const a = { 'x-192-0-2-1.example.net': ['192.0.2.1'] }
    assert.notEqual(await found(botnetIpinhostname, { host: { ptr, a } }), null)
    assert.equal(await found(botnetIpinhostname, { host: { ptr } }), null)
  })

  it('has nothing to say of a host without a name', async () => {
    assert.equal(await found(botnetIpinhostname, { host: null }), null)
  })
})
