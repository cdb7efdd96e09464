/** The config file. Each part declares its own table; this only puts the tables together. */
import { z } from 'zod'
import { adminOptions } from '../admin/options.ts'
import { duration } from '../core/duration.ts'
import { type Endpoint, parseEndpoint } from '../core/endpoint.ts'
import { recipientsOptions } from '../delay/actions.ts'
import { delayLimits } from '../delay/limits.ts'
import { delayOptions } from '../delay/options.ts'
import { dnsOptions } from '../dns/options.ts'
import { gateLimits } from '../gate/limits.ts'
import { gateOptions, greetingOptions, listenOptions } from '../gate/options.ts'
import { greylistOptions, memoryOptions } from '../memory/options.ts'
import { logOptions } from '../observe/options.ts'
import { ownReasonsOptions } from '../reasons/brought.ts'
import { reasonsOptions } from '../reasons/index.ts'
import { backendOptions } from '../relay/options.ts'
import { dataOptions } from '../smtp/data-options.ts'
import { smtpLimits } from '../smtp/limit-options.ts'
import { smtpOptions, tlsOptions } from '../smtp/options.ts'

/** How much clients may do, all in one table; each limit is declared where it is kept. */
export const limitsOptions = z.strictObject({ ...gateLimits, ...delayLimits, ...smtpLimits })

const tables = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9.-]*$/, 'expected a host name')
    .default('')
    .describe(
      'What we call ourselves in the greeting, to the back end and in Received lines; should be the ' +
        'name that the MX record gives. Empty: the host name of the machine.',
    ),
  mode: z
    .enum(['enforce', 'observe'])
    .default('enforce')
    .describe(
      '"observe" looks at everything, writes down what would have happened, and makes nobody wait.',
    ),
  shutdown_grace: duration('30s').describe(
    'How long messages under way may take to finish when we are told to stop.',
  ),
  listen: listenOptions.prefault({}).describe('Where clients connect.'),
  backend: backendOptions.prefault({}).describe('The mail server behind us.'),
  gate: gateOptions.prefault({}).describe('Who never waits.'),
  limits: limitsOptions
    .prefault({})
    .describe('How much clients may do: how many at once, how long, how large.'),
  greeting: greetingOptions.prefault({}).describe('The pause before our greeting.'),
  delay: delayOptions.prefault({}).describe('How long clients with reasons wait at RCPT.'),
  reasons: reasonsOptions.prefault({}).describe('What makes a client wait.'),
  recipients: recipientsOptions.describe('What follows from reasons for mail to one domain.'),
  greylist: greylistOptions
    .prefault({})
    .describe('For reasons with action = "greylist": who is to try again later, and who has.'),
  reason: ownReasonsOptions.describe(
    'Reasons of your own: [[reason]] tables, each with a name and what must hold, all of it.',
  ),
  dns: dnsOptions.prefault({}).describe('How names are looked up.'),
  smtp: smtpOptions.prefault({}).describe('What clients may do.'),
  data: dataOptions.prefault({}).describe('What a message may consist of.'),
  tls: tlsOptions.prefault({}).describe('Our certificates.'),
  memory: memoryOptions
    .prefault({})
    .describe('What is remembered beyond a connection. All of it is safe to lose.'),
  log: logOptions.prefault({}).describe('What is written down.'),
  admin: adminOptions.prefault({}).describe('The small HTTP server that tells how we are.'),
})

export const configSchema = tables
  .refine(
    ({ gate, limits }) => gate.known_good === '' || limits.reserved < limits.connections_max,
    {
      path: ['limits', 'reserved'],
      message: 'expected less than limits.connections_max',
    },
  )
  .refine(({ listen, backend }) => !leadsBack(listen, backend), {
    path: ['backend', 'addresses'],
    message:
      'expected the mail server behind us, and not where we listen: mail would go in circles',
  })

/**
 * Whether one of these is where we listen ourselves. 0.0.0.0 says nothing: it may be the default, unused
 * beside a socket of systemd's on another address.
 */
function leadsBack(
  { addresses, tls_addresses }: z.infer<typeof listenOptions>,
  { addresses: theirs }: z.infer<typeof backendOptions>,
): boolean {
  const ours = endpoints([...addresses, ...tls_addresses])
  return endpoints(theirs).some(({ host, port }) =>
    ours.some((own) => own.port === port && own.host === host),
  )
}

/** Parsed, complete and frozen: no default is ever applied anywhere else. */
export type Config = z.infer<typeof configSchema>

/** What is none of these is reported by itself. */
function endpoints(texts: readonly string[]): Endpoint[] {
  return texts.flatMap((text) => parseEndpoint(text) ?? [])
}
