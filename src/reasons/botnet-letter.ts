/**
 * What Botnet 0.8 looks for in a host name, to the letter, defects included: no boundaries around
 * digits, and every name is taken to be registered at its second level.
 *
 * The original searches for `(words)\S*\.\S+\.\S+$`, which says that the last two labels do not
 * count. They are cut off here first, since the search as it stands takes polynomial time.
 */
import type { Ip } from '../core/ip.ts'
import { type Pattern, parsePattern } from '../core/pattern.ts'

export const letterClientWords = [
  ...['.*dsl.*', 'cable', 'catv', 'ddns', 'dhcp', 'dial(-?up)?', 'dip', 'docsis'],
  ...['dyn(amic)?(ip)?', 'modem', 'ppp(oe)?', 'res(net|ident(ial)?)?', 'bredband'],
  ...['client', 'fixed', 'ip', 'pool', 'static', 'user'],
]
export const letterServerWords = [
  ...['e?mail(out)?', 'mta', 'mx(pool)?', 'relay', 'smtp', 'exch(ange)?'],
]

/** Any of the words, each with a word boundary or a digit on both sides; null for an empty list. */
export function letterPattern(words: readonly string[]): Pattern | null {
  if (words.length === 0) return null
  const wrapped = words.map((word) => `(?:\\b|\\d)(?:${unanchored(word)})(?:\\b|\\d)`)
  return parsePattern(wrapped.join('|'))
}

function unanchored(word: string): string {
  return word.replace(/^\^|\$$/g, '')
}

/** True when the pattern is found outside the last two labels. */
export function letterFinds(pattern: Pattern | null, name: string): boolean {
  const front = beforeTwoLabels(name)
  return pattern !== null && front !== null && pattern.found(front)
}

/** True when two adjacent octets, in either order, or a number made of some are in the name. */
export function letterIpInName(name: string, ip: Ip): boolean {
  const front = beforeTwoLabels(name)?.toLowerCase()
  if (front === undefined || ip.family !== 4) return false
  const octets = ip.text.split('.').map(Number)
  const decimal = octets.map(String)
  const hex = octets.map((octet) => octet.toString(16).padStart(2, '0'))
  const hasPair = [decimal, hex].some((texts) =>
    texts.slice(1).some((next, index) => {
      const one = texts[index] ?? ''
      return inOrder(front, one, next) || inOrder(front, next, one)
    }),
  )
  return hasPair || combined(octets).some((number) => front.includes(String(number)))
}

/** 32-bit value, abc, bcd, ab, bc, cd. */
function combined([a = 0, b = 0, c = 0, d = 0]: readonly number[]): number[] {
  const number = (...parts: number[]) => parts.reduce((sum, part) => sum * 256 + part, 0)
  return [number(a, b, c, d), number(a, b, c), number(b, c, d)].concat([
    number(a, b),
    number(b, c),
    number(c, d),
  ])
}

function inOrder(text: string, first: string, second: string): boolean {
  const at = text.indexOf(first)
  return at !== -1 && text.includes(second, at + first.length)
}

/** What stands before the last two labels; null when there are no more. */
function beforeTwoLabels(name: string): string | null {
  const second = name.lastIndexOf('.', name.lastIndexOf('.') - 1)
  return second > 0 ? name.slice(0, second) : null
}
