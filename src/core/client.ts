/** Who has connected, and to where: all that is known before a word is said. */
import { type Ip, isPrivate } from './ip.ts'

export interface Client {
  /** Names the connection in logs and Received lines. */
  readonly id: string
  readonly ip: Ip
  readonly port: number
  readonly local: { readonly address: string; readonly port: number }
  /** Whether somebody in front of us has said who it is, by PROXY or XCLIENT, and not its own socket. */
  readonly introduced: boolean
}

/** Where a client comes from, and to where. */
export type Whereabouts = Pick<Client, 'ip' | 'port' | 'local'>

/**
 * Whether an address may make somebody a friend. A private one that somebody in front of us names may
 * belong to the whole world, which he sees through a gateway of his own.
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
