/** The [listen], [gate] and [greeting] tables: the door. */
import { z } from 'zod'
import { duration } from '../core/duration.ts'
import { ownEndpoint } from '../core/endpoint.ts'
import { trustedNetworks } from '../core/networks.ts'

export const listenOptions = z
  .strictObject({
    addresses: z
      .array(ownEndpoint())
      .min(1)
      .default(['0.0.0.0:25'])
      .describe(
        'Where clients connect, as "address:port" or "[IPv6]:port"; "[::]:25" is for IPv4 as well. ' +
          'Sockets that systemd listens on for us (LISTEN_FDS) go before these; one that it calls ' +
          '"smtps" (FileDescriptorName=) begins with TLS.',
      ),
    tls_addresses: z
      .array(ownEndpoint())
      .default([])
      .describe(
        'Where clients connect that begin with TLS at once, such as ["0.0.0.0:465"]; for people who ' +
          'log in (RFC 8314). Servers that send mail come to `addresses` and use STARTTLS.',
      ),
    reuse_port: z
      .boolean()
      .default(false)
      .describe(
        'Whether another Treacle of the same user may listen on the same addresses (SO_REUSEPORT), so ' +
          'that an upgrade can start the new one before the old one is told to stop. Without it a ' +
          'second one that is started by mistake says that the address is in use.',
      ),
    proxy_protocol_from: trustedNetworks().describe(
      'Proxies in front of us, as addresses and networks. Each must begin every connection with a ' +
        'PROXY header, of version 1 or 2, which says who the client is; without one it is closed. ' +
        'From anybody else such a header is talk before the greeting.',
    ),
    xclient_from: trustedNetworks().describe(
      'Peers that speak for clients of their own, as addresses and networks: they are offered XCLIENT, ' +
        'and believed what they say with it of the address of a client and of who has logged in.',
    ),
  })
  .refine(
    ({ addresses, tls_addresses }) => {
      // Of port 0 there are many.
      const fixed = [...addresses, ...tls_addresses].filter((text) => !text.endsWith(':0'))
      return new Set(fixed).size === fixed.length
    },
    { path: ['addresses'], message: 'expected each address once, here and in tls_addresses' },
  )

export const gateOptions = z.strictObject({
  guard: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe(
      'Whether to watch for a private address that hides clients, such as the gateway of a container ' +
        'network: many HELO names, one address. Nobody is then judged, limited or excused by that ' +
        'address, and the log, the metrics and `treacle health` say so (docs/client-address.md).',
    ),
  known_good: z
    .string()
    .default('')
    .describe(
      'File with clients that never wait: addresses, networks, and names, which must be confirmed by ' +
        'DNS in both directions. A private address counts only where the client itself has it, and not ' +
        'when a proxy or XCLIENT says so. Loopback, our own address and that of our gateway are told to ' +
        'the back end only when they are listed here, since it may trust them. Empty: none.',
    ),
})

function pause(standard: string) {
  return duration(standard).refine(
    (ms) => ms < 25_000,
    'expected less than "25s", since real clients give up at 30s',
  )
}

export const greetingOptions = z.strictObject({
  pause: pause('3s').describe('How long a client waits for our greeting.'),
  pause_suspect: pause('20s').describe(
    'How long it waits when there is a reason by the time that `pause` is over.',
  ),
  early_talk: z
    .enum(['reject', 'delay'])
    .default('reject')
    .describe(
      'What becomes of a client that talks before our greeting: "reject" sends it away with 554, ' +
        '"delay" makes it a reason (early-talker).',
    ),
})

export type ListenOptions = z.infer<typeof listenOptions>
export type GreetingOptions = z.infer<typeof greetingOptions>
