/** The [smtp] and [tls] tables: what clients may do, and our certificate. */
import { z } from 'zod'
import { duration, size } from '../core/duration.ts'

export const smtpOptions = z.strictObject({
  size_max: size('50MB').describe(
    'Largest message. The smaller of this and what the back end says is advertised (RFC 1870).',
  ),
  received_max: z
    .int()
    .min(1)
    .max(1_000)
    .default(100)
    .describe(
      'A message with more Received lines than this is in a loop and refused with 554 5.4.6.',
    ),
  idle_timeout: duration('5m').describe(
    'Longest time in which a client says nothing when it is its turn (RFC 5321 section 4.5.3.2.7).',
  ),
  auth: z
    .enum(['off', 'relay'])
    .default('off')
    .describe(
      '"relay" offers AUTH PLAIN and LOGIN under TLS and asks the back end whether they are right. ' +
        'Who has logged in never waits.',
    ),
})

export const tlsOptions = z.strictObject({
  certificate: z
    .string()
    .default('')
    .describe('PEM file with our certificate and its chain. Empty: STARTTLS is not offered.'),
  key: z.string().default('').describe('PEM file with its private key.'),
})

export type SmtpOptions = z.infer<typeof smtpOptions>
export type TlsOptions = z.infer<typeof tlsOptions>
