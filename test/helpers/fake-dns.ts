/**
 * DNS as data: records by name, a list of what is down, and how slow things are. Held to the
 * contract of SystemDns in test/dns/contract.test.ts.
 */
import type { Clock, Ms } from '../../src/core/clock.ts'
import { type Ip, parseIp } from '../../src/core/ip.ts'
import { pointerNames, queryName } from '../../src/dns/query-name.ts'
import type { Answer, Dns } from '../../src/dns/resolver.ts'

type Table = Readonly<Record<string, readonly string[]>>

/** Names are written in lower case without the final dot, addresses in any spelling. */
export interface FakeRecords {
  /** Names of addresses. */
  readonly ptr?: Table
  /** Addresses of names; entries of DNS lists too ("2.2.0.192.zone": ["127.0.0.2"]). */
  readonly a?: Table
  readonly aaaa?: Table
  readonly txt?: Table
  /** Mail hosts, lowest preference first. */
  readonly mx?: Table
  /** Names and addresses whose every look-up is unavailable. */
  readonly down?: readonly string[]
  /** How long an answer takes: one for all, or by name and address. Needs `clock`. */
  readonly slowMs?: Ms | Readonly<Record<string, Ms>>
  readonly clock?: Clock
}

export interface FakeDns extends Dns {
  /** What was asked so far, as "A mail.example.org" and "PTR 192.0.2.1". */
  readonly asked: readonly string[]
}

/** The tables are read at each question, so a test may change them as it goes. */
export function fakeDns(records: FakeRecords = {}): FakeDns {
  const asked: string[] = []

  const look = async (
    type: string,
    key: string | null,
    table: Table | undefined,
    signal: AbortSignal,
  ): Promise<Answer<string>> => {
    signal.throwIfAborted()
    if (key === null) return { kind: 'none' }
    asked.push(`${type} ${key}`)
    await wait(slownessOf(records, key), records.clock, signal)
    const isDown = records.down?.some((item) => spell(item) === key)
    return isDown ? { kind: 'unavailable', why: 'SERVFAIL' } : found(recordsOf(table, key))
  }

  return {
    asked,
    addresses: (name, family, signal) =>
      family === 4
        ? look('A', queryName(name), records.a, signal)
        : look('AAAA', queryName(name), records.aaaa, signal),
    async pointers(ip: Ip, signal) {
      const answer = await look('PTR', ip.text, records.ptr, signal)
      return answer.kind === 'found' ? found(pointerNames(answer.records)) : answer
    },
    texts: (name, signal) => look('TXT', queryName(name), records.txt, signal),
    exchanges: (name, signal) => look('MX', queryName(name), records.mx, signal),
  }
}

function found(list: readonly string[]): Answer<string> {
  return list.length > 0 ? { kind: 'found', records: [...list] } : { kind: 'none' }
}

function recordsOf(table: Table | undefined, key: string): readonly string[] {
  const entry = Object.entries(table ?? {}).find(([item]) => spell(item) === key)
  return entry?.[1] ?? []
}

function slownessOf({ slowMs = 0 }: FakeRecords, key: string): Ms {
  if (typeof slowMs === 'number') return slowMs
  return Object.entries(slowMs).find(([item]) => spell(item) === key)?.[1] ?? 0
}

async function wait(ms: Ms, clock: Clock | undefined, signal: AbortSignal): Promise<void> {
  if (ms === 0) return
  if (clock === undefined) throw new Error('fakeDns: slowMs needs a clock')
  await clock.sleep(ms, signal)
}

/** Names and addresses alike, as they are asked. */
function spell(item: string): string {
  return parseIp(item)?.text ?? queryName(item) ?? item
}
