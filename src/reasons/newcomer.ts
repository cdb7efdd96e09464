/**
 * No client of this network (a /24, a /64) has been seen here before, or not for a long time.
 *
 * Most of those who send mail to a place have done so before. It is true of every honest sender
 * once, so by default nobody looks.
 */
import { defineReason, reasonOptions } from './reason.ts'

export const newcomer = defineReason({
  name: 'newcomer',
  stage: 'connect',
  summary: 'No client of this network has been seen here before.',
  source: 'postscreen; greylisting',
  options: reasonOptions({ weight: 1, action: 'off' }, {}),

  prepare() {
    return {
      find: ({ client, seenBefore }) =>
        seenBefore === false ? `nobody from ${client.network} has been here` : null,
    }
  },
})
