/** What a log said of the names of addresses, in a line before the one about the client. */
import { type Ip, isPrivate, parseIp } from '../core/ip.ts'
import type { NameState } from './read-record.ts'

export interface NameOf {
  readonly name: string
  readonly nameState: NameState
}

const unknown: NameOf = { name: '', nameState: 'unknown' }
const keptMax = 10_000

export class NameMemory {
  readonly #names = new Map<string, NameOf>()

  /**
   * @param name The name that does not lead back to the address; "" when the address has none.
   * @returns true: the line has been understood.
   */
  learn(address: string | undefined, name: string | undefined): true {
    const ip = parseIp(address ?? '')
    if (ip === null || name === undefined) return true
    const known = name.toLowerCase().replace(/\.$/, '')
    this.#names.delete(ip.text)
    this.#names.set(ip.text, { name: known, nameState: known === '' ? 'none' : 'unverified' })
    const [oldest] = this.#names.keys()
    if (this.#names.size > keptMax && oldest !== undefined) this.#names.delete(oldest)
    return true
  }

  of(ip: Ip): NameOf {
    return this.#names.get(ip.text) ?? unknown
  }
}

/** A content filter handing mail back, or a person on the machine: no client of port 25. */
export function isLoopback(ip: Ip): boolean {
  return isPrivate(ip) && (ip.text.startsWith('127.') || ip.text === '::1')
}
