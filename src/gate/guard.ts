/** The client-address guard as an operator meets it: its alarm in the log and in health, and the remedy. */
import type { Clock } from '../core/clock.ts'
import { AddressGuard } from '../memory/address-guard.ts'
import type { Log } from '../observe/log.ts'

const remedy =
  'Something in front of us hides the addresses of clients, such as a published container port. Use ' +
  "the host's network, or let the load balancer speak PROXY and list it in listen.proxy_protocol_from; " +
  'docs/client-address.md has the remedy for each kind of network. Until then nobody is judged by that ' +
  'address.'

export function makeGuard(clock: Clock, log: Log, on: boolean): AddressGuard {
  return new AddressGuard(clock, on, ({ kind, address, owners }) => {
    if (kind === 'clear') log.event('guard.clear', { client: address })
    else log.event('guard.tripped', { client: address, owners, remedy })
  })
}

/** What is wrong with the addresses of clients, in an operator's words; null when nothing is. */
export function guardProblem({ hiding }: AddressGuard): string | null {
  if (hiding.length === 0) return null
  return `many clients seem to have the address ${hiding.join(', ')}. ${remedy}`
}
