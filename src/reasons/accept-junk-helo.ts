/** The recipe's exemption for hosts whose HELO is known to be junk and nobody's business. */
import type { HostList } from '../core/host-list.ts'
import type { Ip } from '../core/ip.ts'
import type { Tools } from './reason.ts'

/** True for clients on the list; their confirmed name is asked for only where the list names names. */
export async function acceptsJunkHelo(list: HostList, ip: Ip, tools: Tools): Promise<boolean> {
  if (list.matches({ ip, name: null })) return true
  if (list.addressesOnly) return false
  const { confirmed } = await tools.identify()
  return confirmed.some((name) => list.matches({ ip, name }))
}
