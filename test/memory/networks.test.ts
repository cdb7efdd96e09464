/** The networks that were here: bounded, and safe to lose. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Networks } from '../../src/memory/networks.ts'
import { memoryOptions } from '../../src/memory/options.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

describe('Networks', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'treacle-networks-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('knows who was here, for a while', async () => {
    const { clock, networks } = setUp()
    assert.equal(networks.knows('192.0.2.0/24'), false)
    networks.remember('192.0.2.0/24')
    await clock.advance(90 * 86_400_000)
    assert.equal(networks.knows('192.0.2.0/24'), true)
    await clock.advance(1)
    assert.equal(networks.knows('192.0.2.0/24'), false)
  })

  it('makes room for new ones by forgetting the one not seen for longest', () => {
    const { networks } = setUp({ networks_max: 2 })
    for (const each of ['a', 'b', 'a', 'c']) networks.remember(each)
    assert.deepEqual(
      ['a', 'b', 'c'].map((each) => networks.knows(each)),
      [true, false, true],
    )
    assert.equal(networks.size, 2)
  })

  it('comes back from its file', () => {
    const file = join(folder, 'state/networks')
    const { clock, networks, heard } = setUp({ file })
    networks.remember('192.0.2.0/24')
    networks.remember('2001:db8::/64')
    networks.save()
    const again = new Networks(clock, memoryOptions.parse({ file }), (why) => heard.push(why))
    assert.equal(again.knows('192.0.2.0/24'), true)
    assert.equal(again.knows('2001:db8::/64'), true)
    assert.deepEqual(heard, [])
  })

  it('starts with what it can read of a file that is broken', () => {
    const file = join(folder, 'broken')
    writeFileSync(file, `\u0000garbage\n${Date.UTC(2030, 0, 1)} 192.0.2.0/24\n17\nx y z`)
    const { networks, heard } = setUp({ file })
    assert.equal(networks.size, 1)
    assert.equal(networks.knows('192.0.2.0/24'), true)
    assert.deepEqual(heard, [])
  })

  it('says so when it cannot read or write, and goes on', () => {
    const { networks, heard } = setUp({ file: folder })
    networks.remember('192.0.2.0/24')
    networks.save()
    assert.equal(heard.length, 2)
    assert.equal(networks.knows('192.0.2.0/24'), true)
    assert.throws(() => readFileSync(`${folder}.new/x`))
    rmSync(`${folder}.new`, { force: true })
  })
})

function setUp(options: { networks_max?: number; file?: string } = {}) {
  const clock = new FakeClock()
  const heard: string[] = []
  const networks = new Networks(clock, memoryOptions.parse(options), (why) => heard.push(why))
  return { clock, heard, networks }
}
