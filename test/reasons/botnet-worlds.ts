/** What the tests of the botnet-* reasons start from: a host with a name, and Botnet's settings. */
import type { z } from 'zod'
import type { botnetOptions } from '../../src/reasons/botnet.ts'
import type { ReasonDefinition, ReasonOptions } from '../../src/reasons/reason.ts'
import { type FakeRecords, fakeDns } from '../helpers/fake-dns.ts'
import { confirmed, type EveryFact, factsOf, sharedOf, toolsFor } from './worlds.ts'

export interface Situation {
  readonly ip?: string
  /** A name that leads back; null for none; a table for anything else. */
  readonly host: string | null | FakeRecords
  readonly botnet?: z.input<typeof botnetOptions>
  readonly facts?: Partial<Omit<EveryFact, 'client'>>
}

/** What a reason of the connect stage finds. */
export async function found(
  reason: ReasonDefinition<'connect', z.ZodType<ReasonOptions>>,
  { ip = '192.0.2.1', host, botnet = {}, facts = {} }: Situation,
): Promise<string | null> {
  const records = typeof host === 'string' ? confirmed(ip, host) : (host ?? {})
  const { find } = reason.prepare(reason.options.parse({}), sharedOf({ botnet }))
  return await find(factsOf({ client: ip, ...facts }), toolsFor(ip, fakeDns(records)))
}
