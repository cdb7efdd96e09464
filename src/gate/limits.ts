/** What the door adds to the [limits] table: how many clients are in, how fast they come, how long they stay. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'

const countMax = 1_000_000

/** "At least one": a limit of none would let nobody in. */
function count(byDefault: number) {
  return z.int().min(1).max(countMax).default(byDefault)
}

export const gateLimits = {
  connections_max: count(10_000).describe(
    'Connections at once, those that wait included. One more is sent away with 421.',
  ),
  reserved: z
    .int()
    .min(0)
    .max(countMax)
    .default(100)
    .describe(
      'Of `connections_max`, so many places are kept for clients whose address is on gate.known_good; ' +
        'none while that is empty.',
    ),
  per_address_max: count(50).describe('Connections at once from one address.'),
  per_network_max: count(200).describe(
    'Connections at once from one network: a /24 of IPv4, a /64 of IPv6.',
  ),
  per_site_max: count(400).describe(
    'Connections at once from one /48 of IPv6: many providers give every customer one.',
  ),
  rate_per_address_max: count(1_000).describe('New connections in a minute from one address.'),
  rate_per_network_max: count(3_000).describe(
    'New connections in a minute from one network: a /24 of IPv4, a /64 of IPv6.',
  ),
  connection_age_max: duration('30m').describe(
    'How long a connection may last. Then the client hears 421: at once, or after the message that ' +
      'it is sending. Should be well above delay.session_budget.',
  ),
}

export type GateLimits = z.infer<z.ZodObject<typeof gateLimits>>
