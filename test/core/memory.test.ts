/** How V8 is told to collect, seen in what it says of its collections. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'

/** Makes garbage, and lets 2,000 small arrays live as long as it takes to make as many more. */
const work = `
  const living = []
  for (let count = 0; count < 400_000; count += 1) living[count % 2_000] = [count, {}]
`

it('collects what is young by one thread, and nothing for having nothing to do', () => {
  const memory = join(import.meta.dirname, '../../src/core/memory.ts')
  const script = `import { collectCalmly } from ${JSON.stringify(memory)}
    collectCalmly()
    ${work}
    setTimeout(() => { ${work} }, 500)`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...['--max-semi-space-size=4', '--trace-gc-nvp', '--trace-memory-reducer'],
      ...['--gc-memory-reducer-start-delay-ms=10', '--input-type=module', '--eval', script],
    ],
    { encoding: 'utf8', timeout: 20_000 },
  )
  assert.equal(stderr, '')
  const byOthers = [...stdout.matchAll(/ gc=s .* background\.scavenge\.parallel=(\S+)/g)]
  assert.ok(byOthers.length > 2, stdout)
  assert.deepEqual(new Set(byOthers.map(([, ms]) => ms)), new Set(['0.00']))
  // It looks once whether little happens, and would look again.
  assert.match(stdout, /Memory reducer: /)
  assert.doesNotMatch(stdout, /Memory reducer: (?:waiting|started)/)
})
