/**
 * What the botnet-* reasons share: John Rudd's settings by their own names, whom they apply to, and
 * what a host name says, either to the letter of Botnet 0.8 or mended.
 */
import { z } from 'zod'
import { type Ip, parseIp, parseNetwork } from '../core/ip.ts'
import { type Pattern, parsePattern, patternText } from '../core/pattern.ts'
import { hostPart } from '../core/registered-domain.ts'
import { remembered } from '../core/remembered.ts'
import type { Identity } from '../dns/reverse.ts'
import {
  letterClientWords,
  letterFinds,
  letterIpInName,
  letterPattern,
  letterServerWords,
} from './botnet-letter.ts'
import { addressInName } from './name-shape.ts'

/** Words for lines and customers. Whole ones: what is no letter ends a word. */
const clientWords = [
  ...['[a-z]*dsl', '[a-z]?dsl[a-z]{1,4}', 'dial(up|in|ip)?s?', 'cable(modem)?s?', 'catv'],
  ...['dhcp', 'ddns', 'dip', 'docsis', 'dyn(amic)?(ip)?', 'modems?', 'ppp(oe)?', 'p*pools?'],
  ...['res(net|ident(ial)?)?', 'bredband', 'broadband', 'hsd', 'abo', 'cust(omers?)?'],
  ...['clients?', 'users?'],
]
const serverWords = [
  ...['e?mail(out|er|gate|gw)?s?', 'mta', 'mx(pool)?', 'relay', 'smtp', 'exch(ange)?'],
  ...['mout', 'mo', 'out(bound|going)?'],
]

export const botnetOptions = z.strictObject({
  exact: z
    .boolean()
    .default(false)
    .describe(
      'Botnet 0.8 to the letter, false alarms included, for comparison: no excuse for hosts without a ' +
        'name, a failed look-up speaks against the client, and each of its three reasons earns the ' +
        'whole delay.',
    ),
  pass_auth: z
    .boolean()
    .default(true)
    .describe(
      'Does not look at clients that have logged in. With false it is written down what would be found; ' +
        'they never wait.',
    ),
  pass_ip: patterns([]).describe(
    'Clients that pass: addresses, networks, or patterns that begin with "^".',
  ),
  skip_ip: patterns([
    ...['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
    ...['::1', 'fc00::/7', 'fe80::/10'],
  ]).describe('Addresses that are nobody in particular, written like those of `pass_ip`.'),
  pass_domains: z
    .array(patternText())
    .default(['amazon\\.com', 'apple\\.com', 'ebay\\.com'])
    .describe('Patterns for domains whose hosts pass, if DNS confirms their names.'),
  clientwords: z
    .array(patternText())
    .optional()
    .describe(
      'Patterns for words that end-user lines have in their names. Unset: our own, or with `exact` those ' +
        'of Botnet. An empty list matches nothing.',
    )
    .meta({ example: ['dial[-.]?up', 'dsl'] }),
  serverwords: z
    .array(patternText())
    .optional()
    .describe('The same for words that excuse, as mail servers have them.')
    .meta({ example: ['mail', 'smtp'] }),
})

export type BotnetOptions = z.infer<typeof botnetOptions>

export interface Botnet {
  readonly exact: boolean
  readonly passAuth: boolean
  /** False for clients that are passed or skipped. */
  judges(ip: Ip, identity: Identity): boolean
  /** The part of the client's name that is made of its address; null when there is none. */
  ipInName(ip: Ip, identity: Identity): string | null
  clientWord(identity: Identity): string | null
  /** Only of confirmed names, unless to the letter. */
  serverWord(identity: Identity): string | null
  /** Whether one name, of whatever kind, looks like that of an end-user line. */
  looksLikeClient(name: string, ip: Ip): string | null
}

/** Makes the settings ready for use. */
export function botnetOf(options: BotnetOptions): Botnet {
  const { exact, pass_auth: passAuth } = options
  const pass = [...options.pass_ip, ...options.skip_ip].map(ipTest)
  const domains = options.pass_domains.map((text) => parsePattern(`(?:\\.|^)(?:${text})$`))
  const client = wordTest(options.clientwords ?? (exact ? letterClientWords : clientWords), exact)
  const server = wordTest(options.serverwords ?? (exact ? letterServerWords : serverWords), exact)
  const spelt = speltBy(exact ? letterSpelt : addressInName)
  /** The names that count: what is confirmed counts for more than what is not. */
  const namesOf = ({ confirmed, pointers }: Identity) => {
    if (exact) return pointers.slice(0, 1)
    return confirmed.length > 0 ? confirmed : pointers
  }
  /** A host with a name of its own beside that of its line has a name of its own. */
  const inAll = (identity: Identity, what: (name: string) => string | null) => {
    const found = namesOf(identity).map(what)
    return found.every((each) => each !== null) ? (found[0] ?? null) : null
  }
  return {
    exact,
    passAuth,
    judges(ip, identity) {
      if (pass.some((test) => test(ip))) return false
      const names = exact ? identity.pointers.slice(0, 1) : identity.confirmed
      return !names.some((name) => domains.some((domain) => domain.found(name)))
    },
    ipInName: (ip, identity) => inAll(identity, (name) => said(name, spelt(name, ip))),
    clientWord: (identity) => inAll(identity, (name) => said(name, client(name))),
    serverWord(identity) {
      const names = exact ? identity.pointers.slice(0, 1) : identity.confirmed
      return names.map((name) => said(name, server(name))).find((found) => found !== null) ?? null
    },
    looksLikeClient: (name, ip) =>
      server(name) === null ? said(name, spelt(name, ip) ?? client(name)) : null,
  }
}

function said(name: string, what: string | null): string | null {
  return what === null ? null : `${name} has "${what}"`
}

function letterSpelt(name: string, ip: Ip): string | null {
  return letterIpInName(name, ip) ? ip.text : null
}

/** How many names are known by what is in them. */
const namesKept = 2_000

function speltBy(find: (name: string, ip: Ip) => string | null): typeof find {
  const found = remembered(namesKept, (both) => {
    const space = both.indexOf(' ')
    const ip = parseIp(both.slice(0, space))
    return ip === null ? null : find(both.slice(space + 1), ip)
  })
  return (name, ip) => found(`${ip.text} ${name}`)
}

/** Finds the first word of a list in a name. */
function wordTest(words: readonly string[], exact: boolean): (name: string) => string | null {
  const each = words.map((word) => ({ word, pattern: exact ? letterPattern([word]) : whole(word) }))
  return remembered(namesKept, (name) => {
    const host = hostPart(name)
    const found = exact
      ? each.find(({ pattern: letters }) => letterFinds(letters, name))
      : each.find(({ pattern: letters }) => letters?.found(host))
    return found?.word ?? null
  })
}

function whole(word: string): Pattern {
  return parsePattern(`(?:^|[^a-z])(?:${word})(?:[^a-z]|$)`)
}

function ipTest(text: string): (ip: Ip) => boolean {
  const network = parseNetwork(text)
  if (network !== null) return (ip) => network.contains(ip)
  const { found } = parsePattern(text)
  return (ip) => found(ip.text)
}

function patterns(byDefault: readonly string[]) {
  const item = patternText().refine(
    (text) => text.startsWith('^') || parseNetwork(text) !== null,
    'expected an address, a network such as "192.0.2.0/24", or a pattern that begins with "^"',
  )
  return z.array(item).default([...byDefault])
}
