/** The benchmark is alive: each of its parts once, tiny. What it measures is nobody's business here. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

describe('npm run bench', () => {
  for (const part of ['relay', 'data', 'latency', 'growth', 'hold']) {
    it(`${part}: has a table, and nothing fails`, async () => {
      const args = ['bench/main.ts', part, '--tiny']
      const { stdout } = await run(process.execPath, args, { timeout: 100_000 })
      const rows = stdout.split('\n').filter((line) => line.startsWith('| '))
      assert.ok(rows.length > 0, stdout)
      assert.doesNotMatch(stdout, /NaN|null|undefined|\(\{/)
    })
  }
})
