/**
 * The client's host name says that it is somebody's line at home, and it has no other to show.
 *
 * The pattern of 2004 knows "dsl", "adsl" and "dial"; it looks at the registered domain as well, so
 * that dslreports.com is a dial-up, and only at names that lead back to the address. Here the words
 * are those of today, whole ones, in the part of the name that the owner of the domain hands out.
 * A name that accuses need not be confirmed: nobody gives himself a bad one.
 *
 * Small servers stand on such lines too, and say a name of their own in HELO, which leads to them.
 * That clears a client of this reason (not of botnet-client, which counts for less); a name of their
 * own that does not lead to them clears nobody, and one whose look-up fails proves nothing.
 */
import { type Eventual, eventually } from '../core/eventual.ts'
import type { Ip } from '../core/ip.ts'
import { hostPart, registeredDomain } from '../core/registered-domain.ts'
import { defineReason, reasonOptions, type Tools } from './reason.ts'
import { unqualified } from './unqual-helo.ts'
import { verifyHelo } from './verify-helo.ts'

/** The pattern of the recipe, to the letter, on the confirmed name. */
const flavellPattern = /(^|\W)(a?dsl|dial(up|in|\.|-))/

const lineWords =
  /^(?:[a-z]*dsl|dsl(?:pool|dyn|ip)|dial(?:up|in|ip)?|cable(?:modem)?|dhcp|dyn(?:amic)?(?:ip)?|pools?|ppp(?:oe)?)$/

export const hostnameDslOrDialup = defineReason({
  name: 'hostname-dsl-or-dialup',
  stage: 'helo',
  summary: 'A host name of the client has a word for an end-user line, and HELO is no better name.',
  source: 'seed document 004',
  options: reasonOptions({ weight: 10 }, {}),

  prepare(_, { flavellExact }) {
    return {
      find: ({ client, helo }, tools) =>
        eventually(tools.identify(), ({ confirmed, pointers }): Eventual<string | null> => {
          if (flavellExact)
            return confirmed.slice(0, 1).find((name) => flavellPattern.test(name)) ?? null
          const name = pointers.find((each) => lineWord(each) !== null)
          if (name === undefined) return null
          return mayHaveOwnName(helo, name, client, tools).then((mayHave) =>
            mayHave ? null : `${name} has "${lineWord(name)}"`,
          )
        }),
    }
  },
})

/** True when HELO is a name of another domain that leads here, or may do so for all we know. */
async function mayHaveOwnName(
  helo: string,
  name: string,
  client: Ip,
  tools: Tools,
): Promise<boolean> {
  const own = helo.toLowerCase().replace(/\.$/, '')
  if (unqualified(own, client) !== null || own.startsWith('[')) return false
  if (registeredDomain(own) === registeredDomain(name) || lineWord(own) !== null) return false
  return (await verifyHelo(own, client, tools)) !== 'refuted'
}

/** The first word for an end-user line in the labels below the registered domain. */
export function lineWord(name: string): string | null {
  const words = hostPart(name).split(/[^a-z]+/)
  return words.find((word) => lineWords.test(word)) ?? null
}
