/** What the SMTP server adds to the [limits] table: how much a client may say, and how slowly. */
import { z } from 'zod'
import { duration, size } from '../core/duration.ts'

export const smtpLimits = {
  size_max: size('50MB').describe(
    'Largest message. The smaller of this and what the back end says is advertised (RFC 1870).',
  ),
  received_max: z
    .int()
    .min(1)
    .max(1_000)
    .default(100)
    .describe(
      'A message with more Received lines than this is in a loop and refused with 554 5.4.6.',
    ),
  idle_timeout: duration('5m').describe(
    'Longest time in which a client says nothing when it is its turn (RFC 5321 section 4.5.3.2.7).',
  ),
}
