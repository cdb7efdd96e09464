/** The [log] table. */
import { z } from 'zod'

export const logOptions = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('The least important events that are written. One line a connection is "info".'),
  format: z
    .enum(['json', 'pretty'])
    .default('json')
    .describe('"json" is one object a line; "pretty" is for reading along and needs pino-pretty.'),
  mainlog: z
    .string()
    .default('')
    .describe(
      "A file that gets the lines of the Exim recipe, in the form of Exim's own main log, for tools " +
        'that read those. Empty: none. It is opened again on SIGHUP.',
    ),
})

export type LogOptions = z.infer<typeof logOptions>
