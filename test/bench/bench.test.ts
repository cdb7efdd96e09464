/** The benchmark is alive: each of its parts once, tiny. What it measures is nobody's business here. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** @returns What it prints. */
async function tiny(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [...args, '--tiny'], { timeout: 100_000 })
  const rows = stdout.split('\n').filter((line) => line.startsWith('| '))
  assert.ok(rows.length > 0, stdout)
  assert.doesNotMatch(stdout, /NaN|Infinity|null|undefined|\(\{|with failures/)
  return stdout
}

describe('npm run bench', () => {
  for (const part of ['relay', 'data', 'latency', 'growth', 'workers']) {
    it(`${part}: has a table, and nothing fails`, async () => {
      await tiny('bench/main.ts', part)
    })
  }

  it('hold: has its tables; all who were made to wait are let go, and the log knows when', async () => {
    assert.match(await tiny('bench/main.ts', 'hold'), /\| 10 of 10 \|/)
  })
})

describe('npm run proportion', () => {
  it('has a table; what is refused has no figure for the pipe, which refuses nothing', async () => {
    const table = await tiny('bench/proportion.ts')
    assert.match(table, /^\| NUL \(refused\) \| [\d.]+ \| [\d.-]+ \| [\d.x-]+ \| - \| - \|$/m)
    assert.match(table, /^\| tabs \| [\d.]+ \| [\d.-]+ \| [\d.x-]+ \| [\d.]+ \| [\d.x-]+ \|$/m)
  })
})
