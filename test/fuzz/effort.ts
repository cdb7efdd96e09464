/**
 * How hard a property is tried: briefly in every test run, as long as one likes by `npm run fuzz`.
 *
 * The seed is printed and can be given again (FUZZ_SEED), which repeats what was tried.
 */
import type { Parameters } from 'fast-check'

/** How many times as many runs as usual. */
const factor = Number(process.env.FUZZ_FACTOR ?? 1)
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))

process.stdout.write(`FUZZ_SEED=${seed}\n`)

/** @param runs How many are usual. */
export function effort(runs: number): Parameters<unknown> {
  return { numRuns: Math.ceil(runs * factor), seed }
}
