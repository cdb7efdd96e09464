/** The [backend] table: the mail server that everything is passed on to. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'
import { theirEndpoint } from '../core/endpoint.ts'
import { domainPattern } from '../core/envelope.ts'

export const backendOptions = z.strictObject({
  addresses: z
    .array(theirEndpoint())
    .min(1)
    .default(['127.0.0.1:10025'])
    .describe(
      'Where the back end listens, as "host:port" or "[IPv6]:port". Several are tried in this order ' +
        'for each conversation.',
    ),
  protocol: z
    .enum(['smtp', 'lmtp'])
    .default('smtp')
    .describe(
      'What the back end speaks. To LMTP (RFC 2033) each message goes with one recipient; clients ' +
        'hear 452 for the others and send them again.',
    ),
  introduce: z
    .enum(['auto', 'xclient', 'proxy-v1', 'proxy-v2', 'xforward', 'none'])
    .default('auto')
    .describe(
      'How the back end learns who the client is. "xclient" demands the XCLIENT extension of every ' +
        'conversation and relays nothing without it. "proxy-v1" and "proxy-v2" begin each connection ' +
        'with a PROXY header, which the back end must be set to expect; nothing is relayed when it ' +
        'does not understand. "auto" uses XCLIENT where it is offered, else XFORWARD. "xforward" is ' +
        'for the log of the back end only, which then still judges every client by our address, as ' +
        'with "none": that leaves it at the Received line.',
    ),
  recipient_domains: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(
          new RegExp(`^(?:\\*\\.)?${domainPattern}$`, 'u'),
          'expected a domain such as "example.org" or "*.example.org"',
        ),
    )
    .default([])
    .describe(
      'Domains that mail may be addressed to, "*.example.org" for all below one; empty: the back end ' +
        'decides. Must be set when the back end has a loopback or private address and is not told ' +
        'who the client is, since it would then relay for the whole world. Where any are ' +
        'set, a back end that is not told is not asked for "user%host@...", "host!user@..." and the ' +
        'like either, which many servers route on for their friends. Who has logged in with `smtp.auth` may send to any domain.',
    ),
  tls: z
    .enum(['opportunistic', 'require', 'off'])
    .default('opportunistic')
    .describe(
      'STARTTLS towards the back end: used where offered, demanded, or not used. With "require" the ' +
        'certificate must be valid for the name in `addresses`.',
    ),
  connect_timeout: duration('10s').describe(
    'Longest time to reach one address and read its greeting and EHLO reply.',
  ),
  command_timeout: duration('4m30s').describe(
    'Longest time for a reply to MAIL or RCPT. Clients wait five minutes (RFC 5321 section 4.5.3.2).',
  ),
  data_timeout: duration('2m').describe('Longest time for the reply to DATA.'),
  block_timeout: duration('3m').describe(
    'Longest time in which the back end reads none of the content.',
  ),
  final_timeout: duration('10m').describe('Longest time for the reply after the final dot.'),
  reuse: z
    .int()
    .min(0)
    .max(1_000)
    .default(100)
    .describe(
      'Conversations that are kept for two seconds after their message, for the next client: never ' +
        'more than there were at once. Only those in which the back end was not told who the ' +
        'client is. 0: none.',
    ),
  retry_after: duration('5s').describe(
    'How long an address that did not answer is passed over while others can be tried.',
  ),
})

export type BackendOptions = z.infer<typeof backendOptions>
