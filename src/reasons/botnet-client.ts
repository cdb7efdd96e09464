/**
 * The client is somebody's line at home, by its host name: made of the address or with a word for
 * such lines in it, and without a word for mail servers.
 */
import { eventually } from '../core/eventual.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const botnetClient = defineReason({
  name: 'botnet-client',
  stage: 'connect',
  summary:
    'The host name of the client is made of its address or has a word for end-user lines, and none for servers.',
  source: 'Botnet 0.8 BOTNET_CLIENT',
  options: reasonOptions({ weight: 4 }, {}),

  prepare(_, { botnet }) {
    return {
      find: ({ client }, { identify }) =>
        eventually(identify(), (identity) => {
          if (!botnet.judges(client, identity) || botnet.serverWord(identity) !== null) return null
          return botnet.ipInName(client, identity) ?? botnet.clientWord(identity)
        }),
    }
  },
})
