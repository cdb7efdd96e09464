/**
 * The client's host name is made of its address.
 *
 * Providers that number their lines by address have not given this one to a server; whoever runs one
 * there has not asked for a name.
 * It adds to what botnet-client counts, and a word for servers takes it away again.
 */
import { eventually } from '../core/eventual.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const botnetIpinhostname = defineReason({
  name: 'botnet-ipinhostname',
  stage: 'connect',
  summary: 'The host name of the client is made of its address.',
  source: 'Botnet 0.8 BOTNET_IPINHOSTNAME',
  options: reasonOptions({ weight: 1 }, {}),

  prepare(_, { botnet }) {
    return {
      find: ({ client }, { identify }) =>
        eventually(identify(), (identity) =>
          botnet.judges(client, identity) ? botnet.ipInName(client, identity) : null,
        ),
    }
  },
})
