/** What the tests of src/reasons start from: a reason made ready, and what it may use to look. */
import type { z } from 'zod'
import type { Clock } from '../../src/core/clock.ts'
import { plainSender, type Sender } from '../../src/core/envelope.ts'
import type { Eventual } from '../../src/core/eventual.ts'
import { parseHostList } from '../../src/core/host-list.ts'
import type { Ip } from '../../src/core/ip.ts'
import { DnsList } from '../../src/dns/dns-list.ts'
import type { Dns } from '../../src/dns/resolver.ts'
import { type Identity, identify } from '../../src/dns/reverse.ts'
import { botnetOf, botnetOptions } from '../../src/reasons/botnet.ts'
import type { FactsAt, Shared, Tools } from '../../src/reasons/reason.ts'
import { ipOf, stays } from '../dns/worlds.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { fakeDns } from '../helpers/fake-dns.ts'

export interface Taste {
  readonly flavellExact?: boolean
  /** The lines of helo_accept_junk_hosts. */
  readonly acceptJunk?: readonly string[]
  /** The lines of dubious_helo. */
  readonly dubious?: readonly string[]
  readonly dns?: Dns
  readonly clock?: Clock
  /** Of [reasons.botnet]. */
  readonly botnet?: z.input<typeof botnetOptions>
  /** What a DNS list had to say about itself. */
  readonly heard?: string[]
}

/** What all reasons share. */
export function sharedOf(taste: Taste = {}): Shared {
  const { flavellExact = false, acceptJunk = [], dubious = [], heard = [] } = taste
  const { dns = fakeDns(), clock = new FakeClock() } = taste
  return {
    acceptJunkHelo: parseHostList(acceptJunk.join('\n'), 'helo_accept_junk_hosts'),
    flavellExact,
    botnet: botnetOf(botnetOptions.parse(taste.botnet ?? {})),
    ownName: 'mx.example.org',
    wanted: new Set(),
    openList: (settings) =>
      new DnsList(settings, {
        dns,
        clock,
        report: ({ kind, why }) => heard.push(`${kind} ${why}`),
      }),
    names: (file) => new Set(file === 'dubious_helo' ? dubious : []),
  }
}

/** The facts of any stage; what a test does not say is nothing in particular. */
export function factsOf(
  known: { readonly client: Ip | string } & Partial<Omit<EveryFact, 'client'>>,
): EveryFact {
  const { client, ...rest } = known
  return {
    client: typeof client === 'string' ? ipOf(client) : client,
    local: '192.0.2.25',
    fromNetwork: 1,
    addressHidden: false,
    seenBefore: null,
    earlyTalk: null,
    helo: 'mail.example.net',
    heloBefore: null,
    secure: false,
    sender: senderOf('alice@example.net'),
    recipient: 'bob@example.org',
    recipientCount: 1,
    refusedCount: 0,
    tooSoon: null,
    ...rest,
  }
}

export type EveryFact = FactsAt['rcpt'] & FactsAt['greeting']

export function senderOf(address: string): Sender {
  return plainSender(address)
}

/** Tools for one client; its names are asked once, as in a session. */
export function toolsFor(client: Ip | string, dns: Dns = fakeDns(), signal = stays()): Tools {
  const ip = typeof client === 'string' ? ipOf(client) : client
  let identity: Eventual<Identity> | null = null
  return {
    dns,
    signal,
    identify: () => {
      identity ??= identify(ip, dns, signal)
      return identity
    },
  }
}

/** DNS in which an address has a name that leads back to it. */
export function confirmed(ip: string, name: string) {
  const table = { [name]: [ip] }
  return { ptr: { [ip]: [name] }, ...(ip.includes(':') ? { aaaa: table } : { a: table }) }
}
