/**
 * The client's address has no name in reverse DNS.
 *
 * RFC 1912 section 2.1 asks every host that can be reached to have one, and hosts that send mail for
 * a living do. A resolver that fails has told us nothing; to the letter of Botnet it has.
 */
import { eventually } from '../core/eventual.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const botnetNordns = defineReason({
  name: 'botnet-nordns',
  stage: 'connect',
  summary: 'The client address has no name in reverse DNS.',
  source: 'Botnet 0.8 BOTNET_NORDNS; RFC 1912 section 2.1',
  options: reasonOptions({ weight: 5 }, {}),

  prepare(_, { botnet }) {
    return {
      find: ({ client }, { identify }) =>
        eventually(identify(), (identity) => {
          if (!botnet.judges(client, identity)) return null
          const none = identity.state === 'none'
          const failed = botnet.exact && identity.pointers.length === 0
          return none || failed ? `no name for ${client.text}` : null
        }),
    }
  },
})
