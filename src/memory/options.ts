/** The [memory] table: what is remembered beyond a connection. All of it is safe to lose. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'

export const memoryOptions = z.strictObject({
  unheard: z
    .boolean()
    .default(false)
    .describe(
      'Remember messages that the back end took while the client may not have heard so (RFC 1047). ' +
        'When the client sends such a message again, it hears 250 and the message is not delivered ' +
        'twice. The same message is: same sender, same recipients, same content to the byte, from ' +
        'the same network.',
    ),
  unheard_for: duration('1d').describe('How long such a message is remembered.'),
  unheard_max: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('How many are remembered; the oldest goes first.'),
  unheard_file: z
    .string()
    .default('')
    .describe('Where they are kept, to outlive a restart. Empty: in memory only.'),
})

export type MemoryOptions = z.infer<typeof memoryOptions>
