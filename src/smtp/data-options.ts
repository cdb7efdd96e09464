/** The [data] table: what a message may consist of. */
import { z } from 'zod'
import { networks } from '../core/networks.ts'

export const dataOptions = z.strictObject({
  bare_newline: z
    .enum(['reject', 'normalize'])
    .default('reject')
    .describe(
      'A CR without LF or an LF without CR in a message, which two servers may read differently ' +
        '("SMTP smuggling"): "reject" refuses the message with 550 5.5.2; "normalize" makes CR LF of ' +
        'each, and of a dot behind it content, which breaks signatures of such messages (DKIM).',
    ),
  nul: z
    .enum(['reject', 'replace'])
    .default('reject')
    .describe(
      'A NUL in a message: "reject" refuses it with 550 5.6.0; "replace" puts a space in its place.',
    ),
  long_lines: z
    .enum(['pass', 'reject'])
    .default('pass')
    .describe(
      'A line longer than limits.text_line_max: "pass" leaves it to the mail server behind us; ' +
        '"reject" refuses the message with 550 5.6.0.',
    ),
  exempt: networks().describe(
    'Addresses and networks of clients that are never refused for any of these: machines of your ' +
      'own that know no better. What they send is normalized, replaced and passed; nothing that leaves ' +
      'us has a bare CR or LF or a NUL.',
  ),
})

export type DataOptions = z.infer<typeof dataOptions>
