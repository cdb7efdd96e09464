/** Settings that list networks: text in the file, networks inside. */
import { z } from 'zod'
import { parseNetwork } from './ip.ts'

const network = z
  .string()
  .transform((text) => parseNetwork(text))
  .refine(
    (parsed) => parsed !== null,
    'expected an address or a network such as "192.0.2.7" or "2001:db8::/32"',
  )

export function networks() {
  return z.array(network).prefault([])
}

/** Networks whose hosts are believed what they say of others. */
export function trustedNetworks() {
  return z
    .array(
      network.refine(
        (parsed) => parsed?.isVast !== true,
        'expected at most a /8, or a /7 of IPv6, since these are believed what they say',
      ),
    )
    .prefault([])
}
