/** What is kept in assembled form is what its source says. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { assemble, assembledFile, sources } from './assemble.ts'

describe('npm run wasm', () => {
  it('finds what there is to assemble', () => assert.notEqual(sources.length, 0))

  for (const source of sources) {
    it(`was run after ${basename(source)} was changed`, async () => {
      assert.equal(await readFile(assembledFile(source), 'utf8'), await assemble(source))
    })
  }
})
