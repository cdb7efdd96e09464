/**
 * The client has said another name in HELO than before on the same connection.
 *
 * To say HELO again is right after STARTTLS (RFC 3207 section 4.2), and allowed at any time; a host
 * has one name all the same. Programs that draw a name for each message have many.
 */
import { visible } from '../core/text.ts'
import { defineReason, reasonOptions } from './reason.ts'

export const heloChanged = defineReason({
  name: 'helo-changed',
  stage: 'helo',
  summary: 'HELO is another name than before on this connection.',
  source: 'Haraka helo.checks "proto_mismatch"; RFC 5321 section 4.1.4',
  options: reasonOptions({ weight: 4 }, {}),

  prepare() {
    return {
      find({ helo, heloBefore }) {
        if (heloBefore === null || same(helo, heloBefore)) return null
        return `HELO ${visible(helo)} after HELO ${visible(heloBefore)}`
      },
    }
  },
})

function same(one: string, other: string): boolean {
  return one.toLowerCase().replace(/\.$/, '') === other.toLowerCase().replace(/\.$/, '')
}
