/**
 * Lists of hosts: addresses, networks and names, one a line, as Exim's host lists (Exim
 * specification, chapter "Domain, host, address, and local part lists").
 *
 * From first to last, the first item that matches decides; `!` in front of an item turns its answer
 * round; a list that ends in such an item matches everybody it does not name. `*` is everybody,
 * `*.example.net` each name below example.net.
 *
 * Unlike Exim's, an item that asks for a name passes over a client whose name is not known, instead
 * of ending the list there: a list of exemptions should not depend on the order of its lines. The
 * one thing it may not do is match such a client only because the last line is negative.
 */
import { HostListError } from './errors.ts'
import { type Ip, parseNetwork } from './ip.ts'

/** Who is asked about: the address, and its forward-confirmed name if it is known by now. */
export interface Host {
  readonly ip: Ip
  readonly name: string | null
}

export interface HostList {
  matches(host: Host): boolean
  /** True when no item asks for a name, so an answer needs no look-up. */
  readonly addressesOnly: boolean
}

interface Item {
  readonly negative: boolean
  readonly asksName: boolean
  test(host: Host): boolean
}

export const nobody: HostList = { matches: () => false, addressesOnly: true }

/**
 * @param text The file.
 * @param where What to call it in an error.
 * @throws HostListError naming each line that is neither address, network nor name.
 */
export function parseHostList(text: string, where: string): HostList {
  const lines = listLines(text)
  const items = lines.map(({ value }) => parseItem(value))
  const wrong = lines.filter((_, index) => items[index] === null)
  if (wrong.length > 0) {
    throw new HostListError(where, wrong)
  }
  return hostListOf(items.filter((item) => item !== null))
}

/** The lines of a list file that say something, with their numbers; `#` begins a comment anywhere. */
export function listLines(
  text: string,
): readonly { readonly line: number; readonly value: string }[] {
  return text
    .split(/\r?\n/)
    .map((raw, index) => ({ line: index + 1, value: raw.replace(/#.*$/, '').trim() }))
    .filter(({ value }) => value !== '')
}

function hostListOf(items: readonly Item[]): HostList {
  const last = items.at(-1)
  return {
    addressesOnly: items.every((item) => !item.asksName),
    matches(host) {
      for (const item of items) {
        if (item.test(host)) return !item.negative
      }
      if (last?.negative !== true) return false
      return !last.asksName || host.name !== null
    },
  }
}

function parseItem(value: string): Item | null {
  const negative = value.startsWith('!')
  const text = (negative ? value.slice(1) : value).trim().toLowerCase()
  if (text === '*') return { negative, asksName: false, test: () => true }

  const network = parseNetwork(text)
  if (network !== null) {
    return { negative, asksName: false, test: ({ ip }) => network.contains(ip) }
  }
  const test = nameTest(text)
  return test === null ? null : { negative, asksName: true, test }
}

function nameTest(text: string): Item['test'] | null {
  // No top-level domain is a number: this is an address with a mistake, or a range.
  if (/(?:^|\.)\d+\.?$/.test(text)) return null
  if (/^\*[a-z0-9_.-]*[a-z0-9_]$/.test(text)) {
    const suffix = text.slice(1)
    return ({ name }) => name?.endsWith(suffix) ?? false
  }
  return /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/.test(text) ? ({ name }) => name === text : null
}
