/** The list of reasons, and the [reasons] table they make together. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'
import type { Stage } from '../core/ledger.ts'
import { botnetOf, botnetOptions } from './botnet.ts'
import { botnetBaddns } from './botnet-baddns.ts'
import { botnetClient } from './botnet-client.ts'
import { botnetClientwords } from './botnet-clientwords.ts'
import { botnetIpinhostname } from './botnet-ipinhostname.ts'
import { botnetNordns } from './botnet-nordns.ts'
import { botnetServerwords } from './botnet-serverwords.ts'
import { botnetSoho } from './botnet-soho.ts'
import { type Brought, broughtReasons } from './brought.ts'
import { crowd } from './crowd.ts'
import { listOptions } from './dns-lists.ts'
import { earlyTalker } from './early-talker.ts'
import { heloBareIp } from './helo-bare-ip.ts'
import { heloChanged } from './helo-changed.ts'
import { heloDynamic } from './helo-dynamic.ts'
import { heloIsUs } from './helo-is-us.ts'
import { heloLocalhost } from './helo-localhost.ts'
import { heloNoJive } from './helo-no-jive.ts'
import { hostnameDslOrDialup } from './hostname-dsl-or-dialup.ts'
import { manyRecipients } from './many-recipients.ts'
import { newcomer } from './newcomer.ts'
import { otherProtocol } from './other-protocol.ts'
import { pipelinedTooSoon } from './pipelined-too-soon.ts'
import { prepare } from './prepare.ts'
import type { Reason, ReasonDefinition, ReasonOptions, Shared } from './reason.ts'
import { sorbsDul } from './sorbs-dul.ts'
import { unknownRecipients } from './unknown-recipients.ts'
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
  lookups_max: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Questions to the DNS for one connection; what is beyond them proves nothing.'),
  modules: z
    .array(z.string().min(1))
    .default([])
    .meta({ example: ['./my-reason.ts'] })
    .describe(
      'TypeScript files with reasons of your own, beside the config file; see docs/reasons.md. They are ' +
        'code that runs with the rights of Treacle.',
    ),
  settings: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .default({})
    .describe('What the reasons of `modules` are set to, by their names.'),
  lists: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected small letters, digits and hyphens'),
      listOptions,
    )
    .prefault({})
    .describe('DNS lists, each a reason by the name you give it.'),
  botnet: botnetOptions
    .prefault({})
    .describe("What the botnet-* reasons share: Botnet's settings."),
  'sorbs-dul': table(sorbsDul),
  'botnet-nordns': table(botnetNordns),
  'botnet-baddns': table(botnetBaddns),
  'botnet-ipinhostname': table(botnetIpinhostname),
  'botnet-clientwords': table(botnetClientwords),
  'botnet-client': table(botnetClient),
  'botnet-serverwords': table(botnetServerwords),
  newcomer: table(newcomer),
  crowd: table(crowd),
  'early-talker': table(earlyTalker),
  'other-protocol': table(otherProtocol),
  'unqual-helo': table(unqualHelo),
  'helo-no-jive': table(heloNoJive),
  'hostname-dsl-or-dialup': table(hostnameDslOrDialup),
  'helo-bare-ip': table(heloBareIp),
  'helo-localhost': table(heloLocalhost),
  'helo-is-us': table(heloIsUs),
  'helo-changed': table(heloChanged),
  'helo-dynamic': table(heloDynamic),
  'botnet-soho': table(botnetSoho),
  'pipelined-too-soon': table(pipelinedTooSoon),
  'unknown-recipients': table(unknownRecipients),
  'many-recipients': table(manyRecipients),
})

export type ReasonsOptions = z.infer<typeof reasonsOptions>

/** The reasons in use, by the stage at which their facts are known. */
export type ReasonsAt = { readonly [S in Stage]: readonly Reason<S>[] }

/**
 * Makes the reasons that are not switched off ready for use.
 *
 * @throws ConfigError when two have one name, or one cannot be made ready.
 */
export function prepareReasons(
  options: ReasonsOptions,
  around: Omit<Shared, 'botnet'>,
  brought: Brought = { own: [], modules: [] },
): ReasonsAt {
  const shared = { ...around, botnet: botnetOf(options.botnet) }
  const more = broughtReasons(Object.keys(reasonsOptions.shape), options, shared, brought)
  const built = builtIn(options, shared)
  return {
    connect: [...built.connect, ...more.filter((each) => each.stage === 'connect')],
    greeting: [...built.greeting, ...more.filter((each) => each.stage === 'greeting')],
    helo: [...built.helo, ...more.filter((each) => each.stage === 'helo')],
    mail: [...built.mail, ...more.filter((each) => each.stage === 'mail')],
    rcpt: [...built.rcpt, ...more.filter((each) => each.stage === 'rcpt')],
  }
}

/** What all reasons are called, those that are off among them. */
export function reasonNames(options: ReasonsOptions, { own, modules }: Brought): string[] {
  const tables = Object.entries(options).filter(
    ([, table]) => typeof table === 'object' && 'action' in table,
  )
  return [
    ...tables.map(([name]) => name),
    ...Object.keys(options.lists),
    ...[...own, ...modules].map(({ name }) => name),
  ]
}

function builtIn(options: ReasonsOptions, shared: Shared): ReasonsAt {
  return {
    connect: [
      prepare(sorbsDul, options['sorbs-dul'], shared),
      prepare(botnetNordns, options['botnet-nordns'], shared),
      prepare(botnetBaddns, options['botnet-baddns'], shared),
      prepare(botnetIpinhostname, options['botnet-ipinhostname'], shared),
      prepare(botnetClientwords, options['botnet-clientwords'], shared),
      prepare(botnetClient, options['botnet-client'], shared),
      prepare(botnetServerwords, options['botnet-serverwords'], shared),
      prepare(newcomer, options.newcomer, shared),
      prepare(crowd, options.crowd, shared),
    ].flat(),
    greeting: [
      prepare(earlyTalker, options['early-talker'], shared),
      prepare(otherProtocol, options['other-protocol'], shared),
    ].flat(),
    helo: [
      prepare(unqualHelo, options['unqual-helo'], shared),
      prepare(heloNoJive, options['helo-no-jive'], shared),
      prepare(hostnameDslOrDialup, options['hostname-dsl-or-dialup'], shared),
      prepare(heloBareIp, options['helo-bare-ip'], shared),
      prepare(heloLocalhost, options['helo-localhost'], shared),
      prepare(heloIsUs, options['helo-is-us'], shared),
      prepare(heloChanged, options['helo-changed'], shared),
      prepare(heloDynamic, options['helo-dynamic'], shared),
    ].flat(),
    mail: [prepare(botnetSoho, options['botnet-soho'], shared)].flat(),
    rcpt: [
      prepare(pipelinedTooSoon, options['pipelined-too-soon'], shared),
      prepare(unknownRecipients, options['unknown-recipients'], shared),
      prepare(manyRecipients, options['many-recipients'], shared),
    ].flat(),
  }
}

function table<S extends Stage, O extends z.ZodType<ReasonOptions>>({
  options,
  summary,
}: ReasonDefinition<S, O>) {
  return options.prefault({} as z.input<O>).describe(summary)
}
