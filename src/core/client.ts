/** Who has connected, and to where: all that is known before a word is said. */
import type { Ip } from './ip.ts'

export interface Client {
  /** Names the connection in logs and Received lines. */
  readonly id: string
  readonly ip: Ip
  readonly port: number
  readonly local: { readonly address: string; readonly port: number }
}

/** What a client calls itself, and in which of the two ways. */
export interface Hello {
  readonly verb: 'EHLO' | 'HELO'
  /** As the client spelt it. */
  readonly name: string
}
