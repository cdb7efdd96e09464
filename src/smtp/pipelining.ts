/**
 * Which commands must be the last of a group (RFC 2920 section 3.1), and whether one was not.
 *
 * QUIT is left out: what comes after it is nobody's business any more.
 */

/** Their replies decide what may follow. */
const waitedFor = /^(?:EHLO|HELO|DATA|VRFY|EXPN|NOOP|ETRN|STARTTLS)\b/i

/**
 * The first command that more was sent together with than may be; null when there is none.
 *
 * @param text What came at once, and what was left of a line before it.
 */
export function tooSoonIn(text: string): string | null {
  const lines = text.split('\n')
  const found = lines.findIndex((line, index) => waitedFor.test(line) && index < lines.length - 1)
  if (found === -1) return null
  const rest = lines.slice(found + 1).join('\n')
  return rest === '' ? null : (/^\w+/.exec(lines[found] ?? '')?.[0] ?? '').toUpperCase()
}
