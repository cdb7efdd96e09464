/** Text from strangers, made fit to be seen. The one place that escapes it. */
import { isUtf8 } from 'node:buffer'

/**
 * Escapes control characters, so that a stranger can neither start a line of his own in a log nor
 * talk to the terminal that shows it. At most `max` characters are kept.
 */
export function visible(text: string, max = 512): string {
  const cut = text.length > max ? `${text.slice(0, max)}...` : text
  return cut.replace(unseen, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being escaped
const unseen = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** The same for a line of JSON, without changing what it says: JSON leaves all but the first 32 as they are. */
export function visibleJson(line: string): string {
  return line.replace(
    unseenInJson,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const unseenInJson = /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Bytes of a command as characters: UTF-8 where it is valid (RFC 6531), else one for each byte. */
export function decodeBytes(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
}

/** The same where other bytes would be somebody else's name: they become a character that fits nowhere. */
export function decodeUtf8(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  return bytes.toString('latin1').replace(/[\x80-\xff]/g, '\x80')
}
