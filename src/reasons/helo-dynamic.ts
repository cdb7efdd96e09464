/**
 * The client calls itself by the name of an end-user line: made of its address, or with a word for
 * such lines in it.
 *
 * A program on somebody's computer asks the system for its name and says what the provider calls
 * the line. A server whose owner knows of it has been given a name of its own.
 */
import { unlessAccepted } from './accept-junk-helo.ts'
import { defineReason, reasonOptions } from './reason.ts'
import { unqualified } from './unqual-helo.ts'

export const heloDynamic = defineReason({
  name: 'helo-dynamic',
  stage: 'helo',
  summary:
    'HELO is the name of an end-user line: made of the address, or with a word for such lines.',
  source: 'Haraka helo.checks "dynamic"; Botnet 0.8, applied to HELO',
  options: reasonOptions({ weight: 4 }, {}),

  prepare(_, { acceptJunkHelo, botnet }) {
    return {
      find({ client, helo }, tools) {
        const name = helo.toLowerCase().replace(/\.$/, '')
        if (unqualified(name, client) !== null || name.startsWith('[')) return null
        const why = botnet.looksLikeClient(name, client)
        return why === null ? null : unlessAccepted(`HELO ${why}`, acceptJunkHelo, client, tools)
      },
    }
  },
})
