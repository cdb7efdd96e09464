/**
 * Host names, most of which strangers wrote.
 *
 * The owner of an address publishes whatever bytes he likes as its name, line breaks included, so
 * nothing from DNS is called a host name before it has passed here.
 */

/** A name in lower case without the final dot; null when it is no host name (RFC 1035 section 2.3.4). */
export function parseHostname(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.length === 0 || name.length > 253) return null
  return name.split('.').every(isLabel) ? name : null
}

/** The underscore is against RFC 1123 and in daily use. */
function isLabel(label: string): boolean {
  return label.length <= 63 && /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label)
}
