/**
 * The client's address has names, and none of them leads back to it.
 *
 * Whoever runs the reverse zone wrote something that the owner of the name knows nothing of: an
 * oversight at best. A name whose look-up fails may be right; to the letter of Botnet 0.8 it is not.
 */
import { eventually } from '../core/eventual.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const botnetBaddns = defineReason({
  name: 'botnet-baddns',
  stage: 'connect',
  summary: 'The names of the client address do not lead back to it.',
  source: 'Botnet 0.8 BOTNET_BADDNS; RFC 8601 section 2.7.3',
  options: reasonOptions({ weight: 4 }, {}),

  prepare(_, { botnet }) {
    return {
      find: ({ client }, { identify }) =>
        eventually(identify(), (identity) => {
          if (!botnet.judges(client, identity)) return null
          const [name] = identity.pointers
          if (name === undefined) return null
          const failed = botnet.exact && !identity.confirmed.includes(name)
          return identity.state === 'unconfirmed' || failed
            ? `${name} does not lead to ${client.text}`
            : null
        }),
    }
  },
})
