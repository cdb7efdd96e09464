/**
 * Zones of DNS lists, fit to be seen.
 *
 * Paid lists put the customer's key into the name that is asked:
 * <key>.zen.dq.spamhaus.net, <key>.dynamic.mail.abusix.zone. Whoever reads it in a log can use it up.
 */

/**
 * A zone with every label that may be a key replaced by "…". It hides too much rather than too
 * little: the last two labels (somebody's registered domain) and short words are what is left.
 */
export function redactZone(zone: string): string {
  const labels = zone.toLowerCase().replace(/\.$/, '').split('.')
  return labels
    .map((label, index) => (mayBeKey(label, labels.length - index) ? '…' : label))
    .join('.')
}

/** @param place Which label it is, counted from the end, the top-level domain being 1. */
function mayBeKey(label: string, place: number): boolean {
  if (place <= 2) return label.length > 20
  // In front of a service's own name, as in <key>.zen.dq.spamhaus.net, words are short.
  const longest = place >= 4 || /\d/.test(label) ? 7 : 11
  return label.length > longest
}
