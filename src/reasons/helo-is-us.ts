/**
 * The client says in HELO that it is us: by our name, or by the address it has reached.
 *
 * Nobody but us is us. Some programs say the name of whomever they talk to, since that looks right.
 */
import { parseAddressLiteral, parseIp } from '../core/ip.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const heloIsUs = defineReason({
  name: 'helo-is-us',
  stage: 'helo',
  summary: 'HELO is our own name or address.',
  source: 'Exim and Postfix recipes (check_helo_access)',
  options: reasonOptions({ weight: 10 }, {}),

  prepare(_, { ownName }) {
    return {
      find({ client, helo, local }) {
        const name = helo.toLowerCase().replace(/\.$/, '')
        const ip = parseAddressLiteral(name) ?? parseIp(name)
        // On our own host we are called what we are called.
        const isOurs = ip === null ? name === ownName : ip.text === local && ip.text !== client.text
        return isOurs && client.text !== local ? `HELO ${helo} is us` : null
      },
    }
  },
})
