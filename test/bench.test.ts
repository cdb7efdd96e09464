/** The benchmark stays alive: each part once, tiny. How fast it is, is nobody's business here. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { run } from './mta/servers/process.ts'

const main = join(import.meta.dirname, '../bench/main.ts')

for (const part of ['relay', 'data', 'latency', 'hold']) {
  it(`runs "npm run bench -- ${part} --tiny"`, async () => {
    const { code, output } = await run(process.execPath, [main, part, '--tiny'], {
      timeoutMs: 50_000,
    })
    assert.equal(code, 0, output)
    assert.match(output, part === 'hold' ? /\| greet \| 20 \| 0 \|/ : /\| Treacle \| \d/)
  })
}
