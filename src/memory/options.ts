/** The [memory] and [greylist] tables: what is remembered about networks, and for how long. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'

export const memoryOptions = z.strictObject({
  networks_max: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(100_000)
    .describe('Networks remembered, at most. The one not seen for longest makes room.'),
  keep: duration('90d').describe('How long a network is remembered after it was seen last.'),
  file: z
    .string()
    .default('')
    .describe('Where they are kept over a restart. Empty: nowhere; then everybody is new.'),
})

export const greylistOptions = z.strictObject({
  retry_after: duration('61s').describe('A try that comes sooner after the first does not count.'),
  window: duration('1d').describe('A later one is a first try again.'),
  keep: duration('36d').describe(
    'How long a network passes that has come back, after it was seen last.',
  ),
  entries_max: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(100_000)
    .describe('Tries remembered, at most. While there is no room, everybody passes.'),
})

export type MemoryOptions = z.infer<typeof memoryOptions>
export type GreylistOptions = z.infer<typeof greylistOptions>
