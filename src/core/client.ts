/** Who has connected, and to where: all that is known before a word is said. */
import { type Ip, isPrivate } from './ip.ts'

export interface Client {
  /** Names the connection in logs and Received lines. */
  readonly id: string
  readonly ip: Ip
  readonly port: number
  readonly local: { readonly address: string; readonly port: number }
  /** Whether a peer has said by XCLIENT that it speaks for this client. */
  readonly introduced: boolean
}

/** Where a client comes from, and to where. */
export type Whereabouts = Pick<Client, 'ip' | 'port' | 'local'>

/**
 * Whether an address may make somebody a friend. A private one that a peer names may belong to the
 * whole world, which that peer sees through a gateway of its own.
 */
export function mayBeFriend({ ip, introduced }: Client): boolean {
  return !(introduced && isPrivate(ip))
}

/** What a client calls itself, and in which of the two ways. */
export interface Hello {
  readonly verb: 'EHLO' | 'HELO'
  /** As the client spelt it. */
  readonly name: string
}
