/**
 * The back end keeps refusing the recipients that the client gives.
 *
 * Lists of addresses that spammers trade are old or made up; whoever tries which of them exist gets
 * one refusal after the other. Counted over the whole connection.
 */
import { z } from 'zod'
import { defineReason, reasonOptions } from './reason.ts'

export const unknownRecipients = defineReason({
  name: 'unknown-recipients',
  stage: 'rcpt',
  summary: 'The back end has refused several recipients of this client for good.',
  source: 'OpenBSD spamd; RFC 5321 section 3.3',
  options: reasonOptions(
    { weight: 5 },
    {
      refusals: z
        .int()
        .min(1)
        .max(1_000)
        .default(3)
        .describe('How many refusals (5yz) on one connection are too many.'),
    },
  ),

  prepare({ refusals }) {
    return {
      find: ({ refusedCount }) =>
        refusedCount >= refusals ? `${refusedCount} recipients refused` : null,
    }
  },
})
