/**
 * The client's address is on a list of dial-up and other end-user ranges.
 *
 * The list of the recipe, dul.dnsbl.sorbs.net, ended on 2024-06-05. What it said is said today by
 * the policy list of Spamhaus; the reason keeps its name, since scripts know it by that.
 */
import { z } from 'zod'
import { eventually } from '../core/eventual.ts'
import { answerCodes } from '../dns/list-zone.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const sorbsDul = defineReason({
  name: 'sorbs-dul',
  stage: 'connect',
  summary: 'The client address is on a list of end-user address ranges.',
  source: 'seed document 004; RFC 5782; Spamhaus PBL',
  options: reasonOptions(
    { weight: 10 },
    {
      zone: z
        .string()
        .min(1)
        .default('pbl.spamhaus.org')
        .describe(
          'The zone to ask. With a Spamhaus DQS key: "KEY.pbl.dq.spamhaus.net"; keys are kept out of logs. ' +
            'The public zone does not answer to open or shared resolvers.',
        ),
      codes: answerCodes()
        .default(['127.0.0.10', '127.0.0.11'])
        .describe(
          'Answers that mean "listed". Empty: any in 127.0.0.0/8 but the error codes 127.255.255.0/24.',
        ),
      ipv6: z.boolean().default(true).describe('Whether the zone also lists IPv6 addresses.'),
    },
  ),

  prepare({ zone, codes, ipv6 }, { openList }) {
    const list = openList({ name: 'sorbs-dul', zone, codes, ipv6, of: 'address' })
    return {
      find: ({ client }, { dns, signal }) =>
        eventually(list.lookup(client, signal, dns), (answer) =>
          answer.kind === 'found' ? `listed as ${answer.records.join(', ')}` : null,
        ),
    }
  },
})
