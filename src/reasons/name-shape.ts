/**
 * What a host name says about a host: that it is made of the address, or has a word for end-user
 * lines or for servers in it.
 *
 * Botnet's observations, mended: numbers are compared as numbers, whole ones; one or two octets are
 * not enough where there are other words, since large senders number their hosts by them; the
 * registered domain, by the public suffix list, says nothing; IPv6 names are understood.
 */
import type { Ip } from '../core/ip.ts'
import { hostPart } from '../core/registered-domain.ts'

/** The part of the name that spells the address; null when none does. */
export function addressInName(name: string, ip: Ip): string | null {
  return ip.family === 4 ? ipv4InName(name, ip) : ipv6InName(name, ip)
}

function ipv4InName(name: string, ip: Ip): string | null {
  const octets = ip.text.split('.').map(Number)
  const numbers = name.split(/[^0-9]+/).filter((digits) => digits !== '')
  return (
    octetsInTurn(numbers, octets) ??
    octetsAbout(numbers, octets) ??
    writtenTogether(numbers, octets) ??
    inHexadecimal(hostPart(name), octets) ??
    nothingButNumber(hostPart(name), octets) ??
    hardwareAddress(hostPart(name))
  )
}

/** "192-0-2" or "2.0.192": three octets or more, as numbers of their own, one after the other. */
function octetsInTurn(numbers: readonly string[], octets: readonly number[]): string | null {
  const [a = 0, b = 0, c = 0, d = 0] = octets
  const runs = [
    [a, b, c],
    [b, c, d],
    [a, b, c * 256 + d],
  ].flatMap((run) => [run, run.toReversed()])
  const values = numbers.map(Number)
  for (const run of runs) {
    const at = values.findIndex((_, index) =>
      run.every((octet, step) => values[index + step] === octet),
    )
    if (at !== -1) return numbers.slice(at, at + run.length).join('-')
  }
  return null
}

/** "x-2-34.w192-0": three octets or more anywhere, at least two of them above 9. */
function octetsAbout(numbers: readonly string[], octets: readonly number[]): string | null {
  const left = numbers.map(Number)
  const matched = octets.filter((octet) => {
    const at = left.indexOf(octet)
    if (at !== -1) left.splice(at, 1)
    return at !== -1
  })
  return matched.length >= 3 && matched.filter((octet) => octet > 9).length >= 2
    ? matched.join('-')
    : null
}

/** "192000002001", "192.000002001", "19202" and the address as one number of 32 bits. */
function writtenTogether(numbers: readonly string[], octets: readonly number[]): string | null {
  const [a = 0, b = 0, c = 0, d = 0] = octets
  const padded = (list: readonly number[]) => list.map((each) => String(each).padStart(3, '0'))
  const whole = [octets, octets.toReversed()]
  const threes = [...whole, [a, b, c], [c, b, a], [b, c, d], [d, c, b]]
  const long = threes.map((list) => padded(list).join(''))
  const digits = numbers.join('')
  const found = long.find((text) => digits.includes(text))
  if (found !== undefined) return found
  const bare = whole.map((list) => list.join('')).filter((text) => text.length >= 7)
  const number = String(((a * 256 + b) * 256 + c) * 256 + d)
  return [...bare, number].find((text) => numbers.includes(text)) ?? null
}

/** "c0000201": the octets as pairs of hexadecimal digits. Three will do if they stand alone. */
function inHexadecimal(host: string, octets: readonly number[]): string | null {
  const pairs = octets.map((octet) => octet.toString(16).padStart(2, '0'))
  const whole = [pairs.join(''), pairs.toReversed().join('')]
  const found = whole.find((text) => host.includes(text))
  if (found !== undefined) return found
  const [a = '', b = '', c = '', d = ''] = pairs
  const threes = [a + b + c, b + c + d, c + b + a, d + c + b]
  const words = host.split(/[^0-9a-f]+/)
  return threes.find((text) => words.includes(text)) ?? null
}

/** What stands before the number of a host that has been given no name. */
const countingWords = /^(?:host|ip|pub|nat|net|ptr|pc|h|d|p)$/

/** "host34" or "2-34": nothing but the last octet, or two octets above 9, and such a word. */
function nothingButNumber(host: string, octets: readonly number[]): string | null {
  const [label = ''] = host.split('.')
  const words = label.split(/[^a-z]+/).filter((word) => word !== '')
  if (!words.every((word) => countingWords.test(word))) return null
  const numbers = label.split(/[^0-9]+/).flatMap((digits) => (digits === '' ? [] : Number(digits)))
  const [c = 0, d = 0] = octets.slice(2)
  const isLast = numbers.length === 1 && numbers[0] === d
  const isPair = numbers.length === 2 && numbers.includes(c) && numbers.includes(d)
  return isLast || (isPair && c > 9 && d > 9) ? label : null
}

/** "s0106000fb5ee5549": the hardware address of somebody's modem, as cable networks name lines. */
function hardwareAddress(host: string): string | null {
  const [found = ''] = /(?:^|[^0-9a-z])[a-z]?(?:0106)?[0-9a-f]{12}(?=[^0-9a-z]|$)/.exec(host) ?? []
  return /[0-9].*[a-f]|[a-f].*[0-9]/.test(found) ? found.replace(/^[^0-9a-z]/, '') : null
}

/** How many hexadecimal digits in turn make a name one that is made of an IPv6 address. */
const nibblesMin = 12

function ipv6InName(name: string, ip: Ip): string | null {
  const groups = groupsOf(ip)
  const nibbles = groups.map((group) => group.padStart(4, '0')).join('')
  const texts = [nibbles, [...nibbles].reverse().join('')]
  const digits = hostPart(name).replace(/[.-]/g, '')
  const run = texts.flatMap((text) => windows(text)).find((window) => digits.includes(window))
  if (run !== undefined) return run
  return groupsInTurn(hostPart(name).split(/[.-]+/), groups)
}

/** "2001-db8--1-2": four groups or more without their leading zeros. */
function groupsInTurn(words: readonly string[], groups: readonly string[]): string | null {
  const given = groups.filter((group) => group !== '0')
  const spelt = words.filter((word) => /^0*[1-9a-f][0-9a-f]{0,3}$/.test(word))
  const bare = spelt.map((word) => word.replace(/^0+/, ''))
  const at = bare.findIndex((_, index) => given.slice(0, 4).every((g, i) => bare[index + i] === g))
  return given.length >= 4 && at !== -1 ? spelt.slice(at, at + 4).join('-') : null
}

function windows(text: string): string[] {
  return Array.from({ length: text.length - nibblesMin + 1 }, (_, at) =>
    text.slice(at, at + nibblesMin),
  ).filter((window) => !/0{6}/.test(window))
}

/** The eight groups of an address, without leading zeros. */
function groupsOf({ text }: Ip): string[] {
  const [head = '', tail] = text.split('::')
  const left = head.split(':').filter((group) => group !== '')
  if (tail === undefined) return left
  const right = tail.split(':').filter((group) => group !== '')
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
}
