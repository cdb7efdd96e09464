/**
 * The client says in HELO that it is one of the big mail providers, and is not.
 *
 * Only names on the list are looked at: ones that are often forged, and whose real owners are known
 * to verify. Being unable to verify is no evidence; being somebody else is.
 */
import { z } from 'zod'
import { eventually } from '../core/eventual.ts'
import { acceptsJunkHelo } from './accept-junk-helo.ts'
import { defineReason, reasonOptions } from './reason.ts'
import { verifyHelo } from './verify-helo.ts'

export const heloNoJive = defineReason({
  name: 'helo-no-jive',
  stage: 'helo',
  summary: 'HELO is a name on the list of often forged ones, and the client is not that host.',
  source: 'seed document 004; Exim verify = helo',
  options: reasonOptions(
    { weight: 10 },
    {
      names: z
        .string()
        .default('dubious_helo')
        .describe('File with the names that are often forged, one a line, in full. Empty: none.'),
    },
  ),

  prepare(options, { acceptJunkHelo, names }) {
    const dubious = names(options.names)
    return {
      find({ client, helo }, tools) {
        if (!dubious.has(helo.toLowerCase().replace(/\.$/, ''))) return null
        return eventually(acceptsJunkHelo(acceptJunkHelo, client, tools), async (accepts) => {
          if (accepts) return null
          const verdict = await verifyHelo(helo, client, tools)
          return verdict === 'refuted' ? `HELO ${helo} does not lead to ${client.text}` : null
        })
      },
      header: () => 'X-HELO-dubious: Your HELO/EHLO does not jive',
    }
  },
})
