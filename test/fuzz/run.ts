/**
 * `npm run fuzz [-- MINUTES]`: every property of the tests again and again, each time with another seed, for so
 * long (an hour unless told otherwise). Ends with the first that fails, and says how to repeat it.
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { performance } from 'node:perf_hooks'

const minutes = Number(process.argv[2] ?? 60)
const files = globSync(join(import.meta.dirname, '../**/*.test.ts')).filter(
  (file) => readFileSync(file, 'utf8').includes('fuzz/effort.ts') || file.includes('/fuzz/'),
)
const endsAt = performance.now() + minutes * 60_000

for (let round = 1; round === 1 || performance.now() < endsAt; round += 1) {
  const seed = String(Math.floor(Math.random() * 2 ** 31))
  const again = { FUZZ_SEED: seed, FUZZ_FACTOR: '5' }
  process.stdout.write(`round ${round}: FUZZ_SEED=${seed} FUZZ_FACTOR=5\n`)
  const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=dot', ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...again },
  })
  if (status === 0) continue
  process.stdout.write(
    `failed; to repeat: FUZZ_SEED=${seed} FUZZ_FACTOR=5 node --test ${files.map((file) => relative('.', file)).join(' ')}\n`,
  )
  process.exit(1)
}
