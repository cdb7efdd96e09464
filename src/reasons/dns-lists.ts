/**
 * Reasons that are DNS lists, as many as the operator names: [reasons.lists.NAME].
 *
 * A list of addresses is asked for the client; a list of domains for the name in HELO, the host names
 * of the client or the domain of the sender. One that denies adds its weight. One that allows takes
 * its weight away, and no more: nobody is excused altogether because a list knows him.
 */
import { z } from 'zod'
import { splitAddress } from '../core/envelope.ts'
import type { DnsList } from '../dns/dns-list.ts'
import { answerCodes } from '../dns/list-zone.ts'
import {
  type AnyReason,
  type Evidence,
  type FactsAt,
  type OpenList,
  reasonOptions,
  type Tools,
} from './reason.ts'

/** Names asked of one list for one client. */
const pointersMax = 3

export const listOptions = reasonOptions(
  { weight: 5 },
  {
    zone: z
      .string()
      .min(1)
      .meta({ example: 'zen.spamhaus.org' })
      .describe('The zone to ask. A key in it is kept out of logs.'),
    kind: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe('"deny" adds the weight, "allow" takes it away from that of all other reasons.'),
    of: z
      .array(z.enum(['address', 'helo', 'ptr', 'sender']))
      .min(1)
      .refine(
        (of) => of.length === 1 || !of.includes('address'),
        'expected "address" alone, or some of "helo", "ptr", "sender": a list has addresses or domains',
      )
      .default(['address'])
      .describe('What is looked up: the address, or the names in HELO, PTR and MAIL FROM.'),
    codes: answerCodes()
      .default([])
      .describe('Answers that count. Empty: any in 127.0.0.0/8 but errors.'),
    ipv6: z.boolean().default(false).describe('Whether it lists IPv6 addresses.'),
  },
)

export type ListOptions = z.infer<typeof listOptions>

/** The reasons that one list makes: one for each stage at which there is something to look up. */
export function listReasons(name: string, options: ListOptions, openList: OpenList): AnyReason[] {
  const { zone, codes, ipv6, of, action, weight, kind } = options
  if (action === 'off') return []
  const lists = of.includes('address') ? 'address' : 'domain'
  const list = openList({ name, zone, codes, ipv6, of: lists })
  const excuses = kind === 'allow' ? ['*'] : []
  const common = { name, action, weight, excuses, header: () => null }
  const reasons: Readonly<Record<ListOptions['of'][number], AnyReason>> = {
    address: { ...common, stage: 'connect', find: (facts, tools) => byAddress(list, facts, tools) },
    ptr: { ...common, stage: 'connect', find: (_, tools) => byPointers(list, kind, tools) },
    helo: { ...common, stage: 'helo', find: ({ helo }, tools) => byName(list, helo, tools) },
    sender: {
      ...common,
      stage: 'mail',
      find: ({ sender }, tools) => byName(list, splitAddress(sender.address).domain, tools),
    },
  }
  return [...new Set(of)].map((what) => reasons[what])
}

async function byAddress(list: DnsList, { client }: FactsAt['connect'], tools: Tools) {
  const answer = await list.lookup(client, tools.signal, tools.dns)
  return answer.kind === 'found' ? `listed as ${answer.records.join(', ')}` : null
}

/** A name that excuses must be confirmed. */
async function byPointers(list: DnsList, kind: ListOptions['kind'], tools: Tools) {
  const { confirmed, pointers } = await tools.identify()
  const names = (kind === 'allow' ? confirmed : pointers).slice(0, pointersMax)
  const found = await Promise.all(names.map((name) => byName(list, name, tools)))
  return found.find((evidence) => evidence !== null) ?? null
}

async function byName(list: DnsList, name: string, tools: Tools): Promise<Evidence> {
  if (!name.includes('.') || name.startsWith('[')) return null
  const answer = await list.lookupName(name, tools.signal, tools.dns)
  return answer.kind === 'found' ? `${name} listed as ${answer.records.join(', ')}` : null
}
