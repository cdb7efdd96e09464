/**
 * The client sent its next command together with one whose reply it must wait for.
 *
 * RFC 2920 section 3.1: EHLO, DATA, VRFY, EXPN, TURN, QUIT and NOOP end a group of commands, and
 * STARTTLS and AUTH likewise; what follows depends on the answer. Servers wait for it.
 */
import { visible } from '../core/text.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const pipelinedTooSoon = defineReason({
  name: 'pipelined-too-soon',
  stage: 'rcpt',
  summary: 'The client sent more before the reply to a command that has to be waited for.',
  source: 'RFC 2920 section 3.1; Exim smtp_enforce_sync',
  options: reasonOptions({ weight: 5 }, {}),

  prepare() {
    return {
      find: ({ tooSoon }) =>
        tooSoon === null ? null : `did not wait for the reply to ${visible(tooSoon, 20)}`,
    }
  },
})
