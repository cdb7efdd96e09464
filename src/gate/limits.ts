/** What the door adds to the [limits] table: how many clients are in. */
import { z } from 'zod'

const countMax = 1_000_000

export const gateLimits = {
  connections_max: z
    .int()
    .min(1)
    .max(countMax)
    .default(10_000)
    .describe('Connections at once, those that wait included. One more is sent away with 421.'),
  per_address_max: z
    .int()
    .min(1)
    .max(countMax)
    .default(50)
    .describe('Connections at once from one address.'),
  per_network_max: z
    .int()
    .min(1)
    .max(countMax)
    .default(200)
    .describe('Connections at once from one network: a /24 of IPv4, a /64 of IPv6.'),
}

export type GateLimits = z.infer<z.ZodObject<typeof gateLimits>>
