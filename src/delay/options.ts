/** The [delay] table: how long clients with reasons wait, and how many at once. */
import { z } from 'zod'
import { duration, durationRange } from '../core/duration.ts'

export const delayOptions = z.strictObject({
  target: durationRange('75s', '150s').describe(
    'How long a reply to RCPT takes in all when there is a reason: from the shortest to the longest. ' +
      'Each client network has its own fixed point between the two. More than 60s and comfortably ' +
      'below 5m is good advice: real clients wait five minutes, spam engines do not.',
  ),
  full_at: z
    .number()
    .positive()
    .max(1_000)
    .default(10)
    .describe(
      'Each reason has a weight, and the weights of all that are found add up. This sum earns the ' +
        'whole delay; a smaller one earns the same part of it, at least a second.',
    ),
  scope: z
    .enum(['recipient', 'transaction', 'connection'])
    .default('recipient')
    .describe('What a delay is paid for: each recipient, each message, or once in a connection.'),
  session_budget: duration('4m30s').describe(
    'Longest time for all waits at RCPT in one connection together.',
  ),
  null_sender_max: duration('20s').describe(
    'Longest wait for MAIL FROM:<>. Honest servers that verify an address give up after 30s.',
  ),
  never_for: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(/^[^@]+$/, 'expected a local part such as "postmaster"'),
    )
    .default(['postmaster', 'abuse'])
    .describe(
      'Local parts of recipients that nobody waits for, as long as no other was given before.',
    ),
  slots: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(5_000)
    .describe(
      'Clients kept waiting at RCPT at once. When all places are taken, the least suspicious are ' +
        'answered early; nobody is refused.',
    ),
  key_file: z
    .string()
    .default('/var/lib/treacle/delay.key')
    .describe(
      'Where the key is kept that gives each network its point in `target`. It is drawn at the first ' +
        'start; with it lost, the points are others.',
    ),
})

export type DelayOptions = z.infer<typeof delayOptions>
