/** The list of reasons, and the [reasons] table they make together. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'
import type { Stage } from '../core/ledger.ts'
import { earlyTalker } from './early-talker.ts'
import { heloNoJive } from './helo-no-jive.ts'
import { hostnameDslOrDialup } from './hostname-dsl-or-dialup.ts'
import type { Reason, ReasonDefinition, ReasonOptions, Shared } from './reason.ts'
import { sorbsDul } from './sorbs-dul.ts'
import { unqualHelo } from './unqual-helo.ts'

export const reasonsOptions = z.strictObject({
  flavell_exact: z
    .boolean()
    .default(false)
    .describe(
      'Uses the patterns of the recipe of 2004 to the letter, false alarms included, for comparison.',
    ),
  screened: z
    .string()
    .default('')
    .describe(
      "File with the hosts that reasons apply to at all (the recipe's +rbl_hosts): addresses, " +
        'networks, names; "!" in front excepts. Empty: everybody.',
    ),
  helo_accept_junk_hosts: z
    .string()
    .default('helo_accept_junk_hosts')
    .describe('File with hosts whose HELO is not judged. Empty: none.'),
  time_limit: duration('10s').describe(
    'Longest time for one reason to look; a slower one has found nothing.',
  ),
  'sorbs-dul': sorbsDul.options.prefault({}).describe(sorbsDul.summary),
  'unqual-helo': unqualHelo.options.prefault({}).describe(unqualHelo.summary),
  'helo-no-jive': heloNoJive.options.prefault({}).describe(heloNoJive.summary),
  'hostname-dsl-or-dialup': hostnameDslOrDialup.options
    .prefault({})
    .describe(hostnameDslOrDialup.summary),
  'early-talker': earlyTalker.options.prefault({}).describe(earlyTalker.summary),
})

export type ReasonsOptions = z.infer<typeof reasonsOptions>

/** The reasons in use, by the stage at which their facts are known. */
export interface ReasonsAt {
  readonly connect: readonly Reason<'connect'>[]
  readonly greeting: readonly Reason<'greeting'>[]
  readonly helo: readonly Reason<'helo'>[]
  readonly mail: readonly Reason<'mail'>[]
  readonly rcpt: readonly Reason<'rcpt'>[]
}

/** Makes the reasons that are not switched off ready for use. */
export function prepareReasons(options: ReasonsOptions, shared: Shared): ReasonsAt {
  return {
    connect: [
      prepare(sorbsDul, options['sorbs-dul'], shared),
      prepare(hostnameDslOrDialup, options['hostname-dsl-or-dialup'], shared),
    ].flat(),
    greeting: prepare(earlyTalker, options['early-talker'], shared),
    helo: [
      prepare(unqualHelo, options['unqual-helo'], shared),
      prepare(heloNoJive, options['helo-no-jive'], shared),
    ].flat(),
    mail: [],
    rcpt: [],
  }
}

/** One reason, or none when it is off. */
function prepare<S extends Stage, O extends z.ZodType<ReasonOptions>>(
  { name, stage, excuses = [], prepare: make }: ReasonDefinition<S, O>,
  options: z.infer<O>,
  shared: Shared,
): Reason<S>[] {
  const { action, weight } = options
  if (action === 'off') return []
  const { find, header } = make(options, shared)
  return [
    { name, stage, action, weight, excuses, find, header: (facts) => header?.(facts) ?? null },
  ]
}
