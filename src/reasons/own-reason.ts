/**
 * Reasons that the operator writes into the config file: [[reason]], a name and what must hold.
 *
 * All conditions of one must hold. Patterns are found anywhere in the text unless anchored, in any
 * case, in linear time. What is asked for decides at which stage the reason looks.
 */
import { z } from 'zod'
import { type Eventual, eventually } from '../core/eventual.ts'
import { type Network, parseNetwork } from '../core/ip.ts'
import type { Stage } from '../core/ledger.ts'
import { type Pattern, parsePattern, patternText } from '../core/pattern.ts'
import { visible } from '../core/text.ts'
import { type AnyReason, type Evidence, type FactsAt, reasonOptions, type Tools } from './reason.ts'

const pattern = patternText()

export const ownReason = reasonOptions(
  { weight: 10 },
  {
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a name of small letters, digits and hyphens')
      .meta({ example: 'my-shop-window' })
      .describe('What logs call it; never change it.'),
    ip: z
      .array(
        z
          .string()
          .refine((text) => parseNetwork(text) !== null, 'expected an address or "192.0.2.0/24"'),
      )
      .optional()
      .describe('Networks of which the client must be in one.'),
    host: pattern
      .optional()
      .describe('A name of the client in DNS. One that excuses must be confirmed.'),
    helo: pattern.optional().meta({ example: '^win-[a-z0-9]{11}$' }).describe('HELO.'),
    sender: pattern.optional().describe('The address in MAIL FROM; empty for a bounce.'),
    recipient: pattern.optional().describe('The address in RCPT TO.'),
    tls: z.boolean().optional().describe('Whether the connection is under TLS.'),
    excuses: z
      .array(z.string())
      .default([])
      .describe(
        'Makes it an excuse: the names of the reasons it takes its weight from, "*" for all.',
      ),
  },
).refine(
  (own) => stageOf(own) !== null,
  'expected at least one of ip, host, helo, sender, recipient, tls',
)

export type OwnReason = z.infer<typeof ownReason>

type Conditions = Partial<Record<'ip' | 'host' | 'helo' | 'sender' | 'recipient' | 'tls', unknown>>

/** The first stage at which all that is asked for is known. */
function stageOf({ ip, host, helo, sender, recipient, tls }: Conditions): Stage | null {
  if (recipient !== undefined) return 'rcpt'
  if (sender !== undefined) return 'mail'
  if (helo !== undefined || tls !== undefined) return 'helo'
  return ip !== undefined || host !== undefined ? 'connect' : null
}

type Facts = Partial<FactsAt['rcpt']>

/** One condition: what of the facts shows that it holds, or null. */
type Test = (facts: Facts, tools: Tools) => Eventual<Evidence>

/** Makes a reason of the config file ready for use; none when it is off. */
export function ownReasons(own: OwnReason): AnyReason[] {
  const { name, action, weight, excuses } = own
  const stage = stageOf(own)
  if (action === 'off' || stage === null) return []
  const tests = testsOf(own)
  const find = (facts: Facts, tools: Tools) => allShown(tests, facts, tools)
  // Whatever the stage, its facts are some of those that `find` knows what to do with.
  return [{ name, stage, action, weight, excuses, header: () => null, find } as AnyReason]
}

/** What the tests show, one after the other; null as soon as one shows nothing. */
function allShown(
  [test, ...others]: readonly Test[],
  facts: Facts,
  tools: Tools,
): Eventual<Evidence> {
  if (test === undefined) return ''
  return eventually(test(facts, tools), (what): Eventual<Evidence> => {
    if (what === null || others.length === 0) return what
    return eventually(allShown(others, facts, tools), (rest) =>
      rest === null ? null : `${what}, ${rest}`,
    )
  })
}

/** Those that cost nothing first. */
function testsOf(own: OwnReason): Test[] {
  const { tls, excuses } = own
  const networks = own.ip?.map(parseNetwork).filter((network) => network !== null)
  const found = (text: string | undefined, source: string, what: string, pick: Pick): Test[] =>
    text === undefined ? [] : [textTest(parsePattern(source), what, pick)]
  return [
    ...(networks === undefined ? [] : [networkTest(networks)]),
    ...(tls === undefined ? [] : [tlsTest(tls)]),
    ...found(own.helo, own.helo ?? '', 'HELO', ({ helo }) => helo),
    ...found(own.sender, own.sender ?? '', 'sender', ({ sender }) => sender?.address),
    ...found(own.recipient, own.recipient ?? '', 'recipient', ({ recipient }) => recipient),
    ...(own.host === undefined ? [] : [hostTest(parsePattern(own.host), excuses.length > 0)]),
  ]
}

type Pick = (facts: Facts) => string | undefined

function textTest(wanted: Pattern, what: string, pick: Pick): Test {
  return (facts) => {
    const text = pick(facts)
    return text !== undefined && wanted.found(text) ? `${what} ${visible(text, 100)}` : null
  }
}

function networkTest(networks: readonly Network[]): Test {
  return ({ client, addressHidden }) => {
    if (addressHidden === true) return null
    const network = networks.find((each) => client !== undefined && each.contains(client))
    return network === undefined ? null : `in ${network.text}`
  }
}

function tlsTest(wanted: boolean): Test {
  return ({ secure }) => (secure === wanted ? `${wanted ? 'with' : 'without'} TLS` : null)
}

function hostTest(wanted: Pattern, mustBeConfirmed: boolean): Test {
  return (_, { identify }) =>
    eventually(identify(), ({ confirmed, pointers }) => {
      const names = mustBeConfirmed ? confirmed : pointers
      const name = names.find((each) => wanted.found(each))
      return name === undefined ? null : `host ${name}`
    })
}
