/**
 * The client calls itself something that is no qualified domain name.
 *
 * A mail server has a name of its own and says it; where it has none it says its address in
 * brackets, which RFC 5321 section 4.1.4 asks for and the pattern of 2004 flags. Spam engines say
 * the name of the Windows machine they run on, "localhost" or a bare address. To say a wrong name
 * is no ground to refuse mail (section 4.1.4); it is one to take more time over it.
 */
import { type Ip, parseAddressLiteral, parseIp } from '../core/ip.ts'
import { remembered } from '../core/remembered.ts'
import { unlessAccepted } from './accept-junk-helo.ts'
import { defineReason, reasonOptions } from './reason.ts'

/** The pattern of the recipe, to the letter; what it does not match is unqualified. */
const flavellPattern = /^[-a-zA-Z0-9]+\.[a-zA-Z0-9]/

export const unqualHelo = defineReason({
  name: 'unqual-helo',
  stage: 'helo',
  summary: 'HELO is no qualified domain name and no literal of the client address.',
  source: 'seed document 004; RFC 5321 sections 4.1.1.1 and 4.1.4',
  options: reasonOptions({ weight: 10 }, {}),

  prepare(_, { acceptJunkHelo, flavellExact }) {
    return {
      find({ client, helo, addressHidden }, tools) {
        // A literal may well be that of the client, whose address nobody knows.
        if (addressHidden && parseAddressLiteral(helo) !== null) return null
        const why = flavellExact ? flavellVerdict(helo) : unqualified(helo, client)
        return why === null ? null : unlessAccepted(why, acceptJunkHelo, client, tools)
      },
      header: ({ helo }) => `X-HELO-warning: That's a nasty HELO: ${helo}`,
    }
  },
})

function flavellVerdict(helo: string): string | null {
  return flavellPattern.test(helo) ? null : `HELO ${helo}`
}

/** What is wrong with a HELO as a name; null when nothing is. */
export function unqualified(helo: string, client: Ip): string | null {
  if (helo.startsWith('[')) {
    const literal = parseAddressLiteral(helo)
    if (literal?.text === client.text) return null
    return `HELO ${helo} is not the literal of ${client.text}`
  }
  if (parseIp(helo) !== null) return `HELO ${helo} is an address without brackets`
  const name = helo.toLowerCase().replace(/\.$/, '')
  if (/^localhost(?:\.localdomain)?$/.test(name))
    return `HELO ${helo} is the client's own name for itself`
  return isQualified(name) ? null : `HELO ${helo} is not a qualified domain name`
}

/** Two labels or more, letters of any script, and a top-level domain that could be one. */
const isQualified = remembered(2_000, (name) => {
  const labels = name.split('.')
  const top = labels.at(-1) ?? ''
  return (
    labels.length >= 2 &&
    labels.every((label) =>
      /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?$/u.test(label),
    ) &&
    /^(?:xn--.+|[\p{L}\p{M}]{2,})$/u.test(top)
  )
})
