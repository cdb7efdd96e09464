/** A setting that lists networks: text in the file, networks inside. */
import { z } from 'zod'
import { parseNetwork } from './ip.ts'

export function networks() {
  return z
    .array(
      z
        .string()
        .transform((text) => parseNetwork(text))
        .refine(
          (network) => network !== null,
          'expected an address or a network such as "192.0.2.7" or "2001:db8::/32"',
        ),
    )
    .prefault([])
}
