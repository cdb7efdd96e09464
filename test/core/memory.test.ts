/** How V8 is told to collect, seen in what it says of its collections. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'

it('collects what is young by one thread', () => {
  const memory = join(import.meta.dirname, '../../src/core/memory.ts')
  const script = `import { collectYoungAlone } from ${JSON.stringify(memory)}
    collectYoungAlone()
    const living = []
    for (let count = 0; count < 400_000; count += 1) living[count % 2_000] = [count, {}]`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--max-semi-space-size=4', '--trace-gc-nvp', '--input-type=module', '--eval', script],
    { encoding: 'utf8', timeout: 20_000 },
  )
  assert.equal(stderr, '')
  const byOthers = [...stdout.matchAll(/ gc=s .* background\.scavenge\.parallel=(\S+)/g)]
  assert.ok(byOthers.length > 2, stdout)
  assert.deepEqual(new Set(byOthers.map(([, ms]) => ms)), new Set(['0.00']))
})
