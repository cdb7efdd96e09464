/** The [smtp] and [tls] tables: what clients may do, and our certificate. */
import { z } from 'zod'

export const smtpOptions = z.strictObject({
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
