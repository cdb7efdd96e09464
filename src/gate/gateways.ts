/**
 * Addresses that a gateway of ours may give to whoever comes through it: a container sees clients from
 * the other end of its bridge, from itself, or from loopback, when the kernel does not redirect them.
 */
import { readFileSync } from 'node:fs'
import type { Client } from '../core/client.ts'
import { isLoopback, parseIp } from '../core/ip.ts'

/** Whether a stranger may have come by this address, for all we know. */
export function mayBeGateway(
  { ip, local }: Pick<Client, 'ip' | 'local'>,
  gateways: ReadonlySet<string>,
): boolean {
  return isLoopback(ip) || ip.text === local.address || gateways.has(ip.text)
}

/** The routers that this host sends through by default. None where there is no proc(5). */
export function defaultGateways(read: (file: string) => string = textOf): ReadonlySet<string> {
  const four = read('/proc/net/route').matchAll(/^\S+\s+00000000\s+(?!00000000)([0-9A-F]{8})\s/gm)
  const six = read('/proc/net/ipv6_route').matchAll(/^0{32} 00 0{32} 00 (?!0{32})([0-9a-f]{32}) /gm)
  const texts = [
    ...Array.from(four, ([, hex = '']) => Buffer.from(hex, 'hex').reverse().join('.')),
    ...Array.from(six, ([, hex = '']) => hex.replace(/(.{4})(?=.)/g, '$1:')),
  ]
  return new Set(texts.flatMap((text) => parseIp(text)?.text ?? []))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
