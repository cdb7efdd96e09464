/**
 * The client says in HELO what every machine calls itself: "localhost" or a name below it.
 *
 * RFC 6761 section 6.3: such names mean the machine that says them and nothing to anybody else.
 */
import { unlessAccepted } from './accept-junk-helo.ts'
import { defineReason, reasonOptions } from './reason.ts'

const ownNames = /(?:^|\.)localhost$|^localhost\.localdomain$|^localdomain$/

export const heloLocalhost = defineReason({
  name: 'helo-localhost',
  stage: 'helo',
  summary: 'HELO is "localhost" or another name that every machine has for itself.',
  source: 'RFC 6761 section 6.3',
  options: reasonOptions({ weight: 10 }, {}),

  prepare(_, { acceptJunkHelo }) {
    return {
      find({ client, helo }, tools) {
        if (!ownNames.test(helo.toLowerCase().replace(/\.$/, ''))) return null
        const why = `HELO ${helo} is the client's own name for itself`
        return unlessAccepted(why, acceptJunkHelo, client, tools)
      },
    }
  },
})
