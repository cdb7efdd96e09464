/**
 * The client's host name says that it is somebody's line at home.
 *
 * The pattern of 2004 knows "dsl", "adsl" and "dial"; it looks at the registered domain as well, so
 * that dslreports.com is a dial-up, and only at names that lead back to the address. Here the words
 * are those of today, whole ones, in the part of the name that the owner of the domain hands out.
 * A name that accuses need not be confirmed: nobody gives himself a bad one.
 */
import { defineReason, reasonOptions } from './reason.ts'

/** The pattern of the recipe, to the letter, on the confirmed name. */
const flavellPattern = /(^|\W)(a?dsl|dial(up|in|\.|-))/

const lineWords =
  /^(?:[a-z]*dsl|dsl(?:pool|dyn|ip)|dial(?:up|in|ip)?|cable(?:modem)?|dhcp|dyn(?:amic)?(?:ip)?|pools?|ppp(?:oe)?)$/

export const hostnameDslOrDialup = defineReason({
  name: 'hostname-dsl-or-dialup',
  stage: 'connect',
  summary: 'A host name of the client has a word for an end-user line.',
  source: 'seed document 004',
  options: reasonOptions({ weight: 10 }, {}),

  prepare(_, { flavellExact }) {
    return {
      async find(_facts, { identify }) {
        const { confirmed, pointers } = await identify()
        if (flavellExact)
          return confirmed.slice(0, 1).find((name) => flavellPattern.test(name)) ?? null
        for (const name of pointers) {
          const word = lineWord(name)
          if (word !== null) return `${name} has "${word}"`
        }
        return null
      },
    }
  },
})

/** Where names are registered below a second label: "co.uk", "com.br", "ne.jp". */
const sharedDomain =
  /\.(?:ac|co|com|edu|go|gob|gouv|gov|ltd|me|mil|ne|net|nom|or|org|plc|sch)\.[a-z]{2}$/

/** The first word for an end-user line in the labels below the registered domain. */
export function lineWord(name: string): string | null {
  const words = name
    .split('.')
    .slice(0, sharedDomain.test(name) ? -3 : -2)
    .join('.')
    .split(/[^a-z]+/)
  return words.find((word) => lineWords.test(word)) ?? null
}
