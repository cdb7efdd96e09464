/**
 * An excuse: the client's host name has a word in it that mail servers have in theirs.
 *
 * It counts only in a name that leads back to the address, since the owner of an address can write
 * any name he likes there. To the letter of Botnet every name will do.
 */
import { eventually } from '../core/eventual.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const botnetServerwords = defineReason({
  name: 'botnet-serverwords',
  stage: 'connect',
  summary: 'An excuse: the confirmed host name of the client has a word for mail servers.',
  source: 'Botnet 0.8 BOTNET_SERVERWORDS',
  options: reasonOptions({ weight: 10 }, {}),
  excuses: ['botnet-ipinhostname', 'botnet-clientwords'],

  prepare(_, { botnet }) {
    return { find: (_facts, { identify }) => eventually(identify(), botnet.serverWord) }
  },
})
