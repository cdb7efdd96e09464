/** The [smtp] and [tls] tables: what clients may do, and our certificates. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'
import { parseHostname } from '../core/hostname.ts'

export const smtpOptions = z.strictObject({
  auth: z
    .enum(['off', 'relay'])
    .default('off')
    .describe(
      '"relay" offers AUTH PLAIN and LOGIN under TLS and asks the back end whether they are right. ' +
        'Who has logged in never waits.',
    ),
})

const pem = {
  certificate: z
    .string()
    .default('')
    .describe(
      'PEM file with our certificate and its chain, beside the config file unless its path says ' +
        'otherwise. Empty: no TLS, unless `self_signed` says so.',
    ),
  key: z.string().default('').describe('PEM file with its private key.'),
}

const anotherPair = z
  .strictObject({
    certificate: z.string().meta({ expects: 'a file' }).describe('PEM file, as above.'),
    key: z.string().meta({ expects: 'a file' }).describe('PEM file with its private key.'),
  })
  .describe(
    'Named as the client names us when TLS begins (SNI), such as "mx.example.com", or ' +
      '"*.example.com" for all below one domain. Who names another, or none, gets the one above.',
  )

export const tlsOptions = z.strictObject({
  ...pem,
  self_signed: z
    .boolean()
    .default(false)
    .describe(
      'Whether to make a certificate at each start when none is set. It keeps out whoever only ' +
        'listens; servers that send mail do not mind, mail programs of people do.',
    ),
  handshake_timeout: duration('30s').describe('How long a client may take to begin TLS.'),
  sni: z
    .record(
      z
        .string()
        .toLowerCase()
        .refine(
          (name) => parseHostname(name.replace(/^\*\./, '')) !== null,
          'expected a name such as "mx.example.com" or "*.example.com"',
        ),
      anotherPair,
    )
    .prefault({})
    .describe('Certificates for other names of ours.')
    .meta({
      example: {
        'mx.example.com': {
          certificate: '/etc/letsencrypt/live/mx.example.com/fullchain.pem',
          key: '/etc/letsencrypt/live/mx.example.com/privkey.pem',
        },
      },
    }),
})

export type SmtpOptions = z.infer<typeof smtpOptions>
export type TlsOptions = z.infer<typeof tlsOptions>
