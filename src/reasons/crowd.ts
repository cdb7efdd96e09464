/**
 * Many clients of one network are connected at the same time.
 *
 * A botnet at work looks so, and so does a large provider in the morning: by default nobody
 * looks. limits.per_network_max is the limit beyond which nobody is let in.
 */
import { z } from 'zod'
import { defineReason, reasonOptions } from './reason.ts'

export const crowd = defineReason({
  name: 'crowd',
  stage: 'connect',
  summary: 'Many clients of one network are connected at once.',
  source: 'postscreen client count limits',
  options: reasonOptions(
    { weight: 3, action: 'off' },
    {
      connections: z
        .int()
        .min(2)
        .max(1_000_000)
        .default(20)
        .describe('How many at once, this one included, make a crowd.'),
    },
  ),

  prepare({ connections }) {
    return {
      find: ({ client, fromNetwork }) =>
        fromNetwork >= connections ? `${fromNetwork} connections from ${client.network}` : null,
    }
  },
})
