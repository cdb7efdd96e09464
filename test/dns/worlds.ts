/** What the tests of src/dns start from: our resolver at a small server, a list in a made-up DNS. */
import assert from 'node:assert/strict'
import { type Ip, parseIp } from '../../src/core/ip.ts'
import { DnsList, type DnsListEvent, type DnsListSettings } from '../../src/dns/dns-list.ts'
import { dnsOptions } from '../../src/dns/options.ts'
import { SystemDns } from '../../src/dns/resolver.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { fakeDns } from '../helpers/fake-dns.ts'
import { startDnsServer, type Zone } from './dns-server.ts'

/** SystemDns under a fake clock, asking a server on the loopback address that answers from `zone`. */
export async function systemDnsAt(zone: Zone, settings: Readonly<Record<string, unknown>> = {}) {
  const server = await startDnsServer(zone)
  const clock = new FakeClock()
  const dns = new SystemDns(dnsOptions.parse({ servers: [server.address], ...settings }), clock)
  return {
    server,
    clock,
    dns,
    async [Symbol.asyncDispose]() {
      dns.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

export interface ListWorld {
  readonly a?: Readonly<Record<string, readonly string[]>>
  readonly down?: readonly string[]
  readonly slowMs?: number
  readonly settings?: Partial<DnsListSettings>
}

/** The zone of the list that `listIn` makes. */
export const listZone = 'list.example'

/** What a list needs to pass its self-test. */
export const soundList = { [`2.0.0.127.${listZone}`]: ['127.0.0.2'] }

export function listIn({ a = {}, down = [], slowMs = 0, settings = {} }: ListWorld) {
  const clock = new FakeClock()
  const dns = fakeDns({ a, down, slowMs, clock })
  const events: DnsListEvent[] = []
  const list = new DnsList(
    { name: 'test', zone: listZone, codes: [], ipv6: false, of: 'address', ...settings },
    { dns, clock, report: (event) => events.push(event) },
  )
  return { list, dns, clock, events }
}

export function found(...records: string[]) {
  return { kind: 'found', records }
}

export const none = { kind: 'none' }

export function unavailable(why: string) {
  return { kind: 'unavailable', why }
}

/** The signal of a client that does not leave. */
export function stays(): AbortSignal {
  return new AbortController().signal
}

export function ipOf(text: string): Ip {
  const ip = parseIp(text)
  assert.ok(ip !== null)
  return ip
}
