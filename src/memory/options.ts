/** The [memory] and [greylist] tables: what is remembered beyond a connection. All of it is safe to lose. */
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

export const greylistOptions = z.strictObject({
  retry_after: duration('61s').describe('A try that comes sooner after the first does not count.'),
  window: duration('1d').describe('A later one is a first try again.'),
  keep: duration('36d').describe(
    'How long a network passes that has come back, after it was seen last.',
  ),
  bounces: z
    .enum(['data', 'rcpt'])
    .default('data')
    .describe(
      'When a client with MAIL FROM:<> is told: "data" lets it hear at RCPT what the mail server behind ' +
        'us says, since servers ask in this way whether an address exists, and says 450 to DATA.',
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
