/**
 * The client's host name has a word for end-user lines or customers in it.
 *
 * See botnet.ts for the words and for where in the name they count.
 * It adds to what botnet-client counts, and a word for servers takes it away again.
 */
import { eventually } from '../core/eventual.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const botnetClientwords = defineReason({
  name: 'botnet-clientwords',
  stage: 'connect',
  summary: 'The host name of the client has a word for end-user lines or customers.',
  source: 'Botnet 0.8 BOTNET_CLIENTWORDS',
  options: reasonOptions({ weight: 2 }, {}),

  prepare(_, { botnet }) {
    return {
      find: ({ client }, { identify }) =>
        eventually(identify(), (identity) =>
          botnet.judges(client, identity) ? botnet.clientWord(identity) : null,
        ),
    }
  },
})
