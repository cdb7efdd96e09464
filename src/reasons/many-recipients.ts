/**
 * A message has very many recipients, or is a bounce with more than one.
 *
 * RFC 5321 section 4.5.3.1.8 allows a hundred and more, and mailing lists use it: by default this is
 * only written down. A bounce goes to the one who sent what bounced.
 */
import { z } from 'zod'
import { defineReason, reasonOptions } from './reason.ts'

const countMax = 10_000

export const manyRecipients = defineReason({
  name: 'many-recipients',
  stage: 'rcpt',
  summary: 'The message has very many recipients, or is a bounce with more than one.',
  source: 'RFC 5321 section 4.5.3.1.8',
  options: reasonOptions(
    { weight: 3, action: 'observe' },
    {
      recipients: z
        .int()
        .min(2)
        .max(countMax)
        .default(100)
        .describe('How many of one message are many.'),
      null_sender: z.int().min(2).max(countMax).default(2).describe('The same for a bounce.'),
    },
  ),

  prepare({ recipients, null_sender }) {
    return {
      find({ sender, recipientCount }) {
        const many = sender.address === '' ? null_sender : recipients
        return recipientCount >= many ? `recipient ${recipientCount} of one message` : null
      },
    }
  },
})
