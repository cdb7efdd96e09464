/** The recipe's exemption for hosts whose HELO is known to be junk and nobody's business. */
import { type Eventual, eventually } from '../core/eventual.ts'
import type { HostList } from '../core/host-list.ts'
import type { Ip } from '../core/ip.ts'
import type { Evidence, Tools } from './reason.ts'

/** True for clients on the list; their confirmed name is asked for only where the list names names. */
export function acceptsJunkHelo(list: HostList, ip: Ip, tools: Tools): Eventual<boolean> {
  if (list.matches({ ip, name: null })) return true
  if (list.addressesOnly) return false
  return eventually(tools.identify(), ({ confirmed }) =>
    confirmed.some((name) => list.matches({ ip, name })),
  )
}

/** What speaks against a HELO; null for clients on the list. */
export function unlessAccepted(
  evidence: string,
  list: HostList,
  ip: Ip,
  tools: Tools,
): Eventual<Evidence> {
  return eventually(acceptsJunkHelo(list, ip, tools), (accepts) => (accepts ? null : evidence))
}
