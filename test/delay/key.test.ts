/** The key of the delays: drawn once, kept for good, and nobody's business. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { delayKey } from '../../src/delay/key.ts'

describe('delayKey', () => {
  const folder = mkdtempSync(join(tmpdir(), 'treacle-key-'))
  after(() => rmSync(folder, { recursive: true }))

  it('is drawn, kept in a file of its own folder for us alone, and used again', () => {
    const file = join(folder, 'new', 'deep', 'delay.key')
    const key = delayKey(file, unexpected)
    assert.equal(key.length, 32)
    assert.equal(readFileSync(file, 'utf8'), `${key.toString('hex')}\n`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(delayKey(file, unexpected), key)
  })

  it('is another at each place', () => {
    const [one, two] = ['one', 'two'].map((name) => delayKey(join(folder, name), unexpected))
    assert.notDeepEqual(one, two)
  })

  it('is taken as an operator wrote it', () => {
    const file = join(folder, 'given')
    writeFileSync(file, `  ${'AB'.repeat(32)}\r\n`)
    assert.deepEqual(delayKey(file, unexpected), Buffer.alloc(32, 0xab))
  })

  const broken = [
    { text: '', because: 'the file is empty' },
    { text: 'ab'.repeat(31), because: 'it is too short' },
    { text: 'ab'.repeat(33), because: 'it is too long' },
    { text: 'no key at all', because: 'it is no key' },
  ]
  for (const { text, because } of broken) {
    it(`is drawn anew when ${because}`, () => {
      const file = join(folder, 'broken')
      writeFileSync(file, text)
      const key = delayKey(file, unexpected)
      assert.equal(key.length, 32)
      assert.deepEqual(delayKey(file, unexpected), key)
    })
  }

  const unwritable = [
    { file: join(folder, 'a-file', 'delay.key'), because: 'its folder is a file' },
    { file: folder, because: 'it is a folder' },
  ]
  for (const { file, because } of unwritable) {
    it(`is good for this run, and that is said, when ${because}`, () => {
      writeFileSync(join(folder, 'a-file'), '')
      const said: string[] = []
      const key = delayKey(file, (why) => said.push(why))
      assert.equal(key.length, 32)
      assert.equal(said.length, 1)
      assert.match(said[0] ?? '', /cannot be kept in .*delays change with a restart: E[A-Z]+/)
      assert.ok(said[0]?.includes(file))
      assert.doesNotMatch(said[0] ?? '', new RegExp(key.toString('hex')))
    })
  }
})

function unexpected(why: string): void {
  assert.fail(why)
}
