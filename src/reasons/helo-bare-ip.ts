/**
 * The client says an address in HELO as if it were a name: "192.0.2.1", without brackets.
 *
 * RFC 5321 section 4.1.4 has a client without a name say its address in brackets. No server does
 * without them; programs that were written in a hurry do.
 */
import { parseIp } from '../core/ip.ts'
import { unlessAccepted } from './accept-junk-helo.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const heloBareIp = defineReason({
  name: 'helo-bare-ip',
  stage: 'helo',
  summary: 'HELO is an address without brackets.',
  source: 'RFC 5321 sections 4.1.3 and 4.1.4',
  options: reasonOptions({ weight: 10 }, {}),

  prepare(_, { acceptJunkHelo }) {
    return {
      find({ client, helo }, tools) {
        const bare = helo.replace(/\.$/, '').replace(/^ipv6:/i, '')
        if (parseIp(bare) === null) return null
        const why = `HELO ${helo} is an address without brackets`
        return unlessAccepted(why, acceptJunkHelo, client, tools)
      },
    }
  },
})
