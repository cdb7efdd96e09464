/** The [dns] table of the config file. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'
import { parseIp } from '../core/ip.ts'

const server = z
  .string()
  .refine(
    isServer,
    'expected the address of a DNS server: "192.0.2.53", "192.0.2.53:5300" or "[2001:db8::53]:5300"',
  )

export const dnsOptions = z.strictObject({
  servers: z
    .array(server)
    .max(16)
    .default([])
    .describe(
      'DNS servers to ask, as "192.0.2.53", "192.0.2.53:5300" or "[2001:db8::53]:5300". They must ' +
        'resolve names for us (a recursive resolver), and DNS lists expect it to be your own, not a ' +
        'public one. Empty: those of /etc/resolv.conf.',
    ),
  timeout: duration('5s').describe(
    'Longest wait for one answer, all tries together. A look-up that fails proves nothing: ' +
      'no client is called suspicious for it.',
  ),
  tries: z
    .int()
    .min(1)
    .max(10)
    .default(5)
    .describe(
      'How often a question is sent to each server, about a second apart, while `timeout` allows. ' +
        'Fewer tries than `timeout` has seconds give up before it is over.',
    ),
  cache_entries: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Answers kept in memory, at most. The one unused for longest makes room.'),
  cache_longest: duration('1h').describe(
    'Longest time an answer is kept, whatever time its owner allows.',
  ),
  cache_negative: duration('1m').describe('How long it is kept that a name does not exist.'),
  cache_without_ttl: duration('5m').describe(
    'How long answers are kept of which we do not learn how long they may be: names of addresses ' +
      '(PTR), texts (TXT) and mail hosts (MX).',
  ),
  resolvers: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe('Over how many channels, each with its own sockets, the questions are spread.'),
  in_flight_max: z
    .int()
    .min(1)
    .max(10_000)
    .default(250)
    .describe(
      'Questions under way on one channel, at most. As many again may wait for their turn, ' +
        'no longer than `timeout`; the others fail at once.',
    ),
})

export type DnsOptions = z.infer<typeof dnsOptions>

function isServer(text: string): boolean {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false
  const ip = parseIp(bracketed ?? plain ?? text)
  return ip !== null && !text.includes('%')
}
