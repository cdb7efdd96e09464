/** What the SMTP server adds to the [limits] table: how much a client may say, and how slowly. */
import { z } from 'zod'
import { duration, size } from '../core/duration.ts'

export const smtpLimits = {
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
  header_max: size('1200KB').describe(
    'Longest header of a message, up to the first empty line; one that goes on is refused with 552 5.3.4. Each of its ' +
      'lines is looked at, which costs more than the text below.',
  ),
  idle_timeout: duration('5m').describe(
    'Longest time that a client may take for a command when it is its turn, however it spreads the ' +
      'bytes, and longest silence in a message (RFC 5321 section 4.5.3.2.7).',
  ),
  data_rate_min: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(100)
    .describe(
      'Slowest pace of a message, in bytes a second, measured over three minutes in which nothing ' +
        'but the client held it up; a slower one is broken off with 421. 0: any.',
    ),
  text_line_max: size('998B').describe(
    'Longest line of a message without its CR LF (RFC 5321 section 4.5.3.1.6), where ' +
      'data.long_lines = "reject".',
  ),
  command_line_max: size('12288B').describe(
    'Longest command line; who sends a longer one is closed with 421, and one of AUTH is answered ' +
      '501. AUTH may need 12288B (RFC 4954 section 4).',
  ),
  recipients_max: z
    .int()
    .min(100)
    .max(1_000_000)
    .default(1_000)
    .describe(
      'Recipients of one message; one more hears 452 4.5.3 and can be sent another time. RFC 5321 ' +
        'section 4.5.3.1.8 asks for 100 at least.',
    ),
  commands_max: many(10_000).describe(
    'Commands in one connection. One more, and it is closed with 421, as with the limits below.',
  ),
  junk_commands_max: many(100).describe(
    'Commands that move no mail (NOOP, RSET, VRFY and whatever else) since the last message that ' +
      'was accepted.',
  ),
  hellos_max: many(20).describe(
    'HELO and EHLO since the last message that was accepted. A client needs one, another after ' +
      'STARTTLS, another after AUTH.',
  ),
  errors_max: many(20).describe(
    'Commands that were wrong (replies 500 to 504, and 555) since the last message that was accepted.',
  ),
  failed_logins_max: many(5).describe(
    'Logins that may fail in one connection; at the next one it is closed with 421. All that come ' +
      'from one network wait for each other, and after each failure longer, up to "20s".',
  ),
}

function many(byDefault: number) {
  return z.int().min(1).max(1_000_000).default(byDefault)
}

export type SmtpLimits = z.infer<z.ZodObject<typeof smtpLimits>>
