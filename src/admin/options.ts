/** The [admin] table: the small HTTP server that tells how we are. */
import { z } from 'zod'
import { isAddressed, parseEndpoint } from '../core/endpoint.ts'
import { isLoopback, parseIp } from '../core/ip.ts'

export const adminOptions = z
  .strictObject({
    listen: z
      .string()
      .refine((text) => text === '' || isAddressed(text), 'expected "address:port" or ""')
      .default('127.0.0.1:8025')
      .describe(
        'Where it listens, as "address:port" or "[IPv6]:port"; "" for nowhere. On loopback nobody ' +
          'else can ask; anywhere else `token_file` must be set. When the address cannot be had, mail ' +
          'goes on without it.',
      ),
    token_file: z
      .string()
      .default('')
      .describe(
        'File with a secret of at least 16 characters, beside the config file. Whoever asks for more than `/live` must send ' +
          'it: "Authorization: Bearer SECRET". Empty: nobody is asked for one.',
      ),
  })
  .refine(({ listen, token_file }) => token_file !== '' || !isOpen(listen), {
    path: ['token_file'],
    error: 'expected a file with a secret, since admin.listen is no loopback address',
  })

export type AdminOptions = z.infer<typeof adminOptions>

/** Whether others can ask there. What is no address is complained of by itself. */
function isOpen(listen: string): boolean {
  const ip = parseIp(parseEndpoint(listen)?.host ?? '')
  return ip !== null && !isLoopback(ip)
}
