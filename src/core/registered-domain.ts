/**
 * Which part of a host name its owner registered, by the public suffix list. The only file that
 * knows tldts.
 *
 * What stands in front of that part is what the owner of the domain calls one host; the part itself
 * says nothing about the host: not everybody at dslreports.com is on a DSL line.
 */
import { getDomain } from 'tldts'
import { remembered } from './remembered.ts'

/** The registered domain of a name, "example.co.uk"; the whole name where the list knows none. */
export const registeredDomain = remembered(
  2_000,
  (name) => getDomain(name, { allowPrivateDomains: false, validateHostname: false }) ?? name,
)

/** The labels in front of the registered domain, "mail.dc2" of "mail.dc2.example.co.uk"; "" for none. */
export function hostPart(name: string): string {
  const domain = registeredDomain(name)
  return name.length > domain.length + 1 ? name.slice(0, -domain.length - 1) : ''
}
