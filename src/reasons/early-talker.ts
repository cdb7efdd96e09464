/**
 * The client talked before it was greeted.
 *
 * RFC 5321 section 3.1 has it wait for the greeting. Engines that send everything at once, hoping
 * for a server that does not look, do not; nor do programs that take port 25 for something else.
 * Found only with greeting.early_talk = "delay"; otherwise such clients do not come this far.
 */
import { visible } from '../core/text.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const earlyTalker = defineReason({
  name: 'early-talker',
  stage: 'greeting',
  summary: 'The client sent something before our greeting.',
  source: 'RFC 5321 section 3.1; seed document 000 (greet pause)',
  options: reasonOptions({ weight: 10 }, {}),

  prepare() {
    return {
      find: ({ earlyTalk }) => (earlyTalk === null ? null : `sent "${visible(earlyTalk, 60)}"`),
    }
  },
})
