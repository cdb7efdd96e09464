/** What a back end offers in its EHLO reply (RFC 5321 section 4.1.1.1). */
import type { Sender } from '../core/envelope.ts'
import { type Reply, reply } from '../core/reply.ts'

/** Keywords in upper case, each with the rest of its line. */
export type Capabilities = ReadonlyMap<string, string>

export const noCapabilities: Capabilities = new Map()

/**
 * @param lines The lines of the EHLO reply after the first, without code.
 * @param verified Whether they came under TLS, from a server whose certificate is right. REQUIRETLS
 *   from anybody else promises nothing and is left out (RFC 8689).
 */
export function parseCapabilities(lines: readonly string[], verified = false): Capabilities {
  const found = new Map<string, string>()
  for (const line of lines) {
    // Some servers of the nineties wrote "AUTH=LOGIN".
    const [, keyword = '', rest = ''] = /^([A-Za-z0-9-]+)[\s=]*(.*)$/.exec(line.trim()) ?? []
    if (keyword !== '' && !found.has(keyword.toUpperCase())) {
      found.set(keyword.toUpperCase(), rest.trim())
    }
  }
  if (!verified) found.delete('REQUIRETLS')
  return found
}

/** The largest message it takes, in bytes (RFC 1870); Infinity where it sets no limit. */
export function sizeMaxOf(capabilities: Capabilities): number {
  const declared = /^\d{1,15}$/.exec(capabilities.get('SIZE') ?? '')
  return Number(declared?.[0] ?? 0) || Number.POSITIVE_INFINITY
}

/** The refusal of a message whose announced size is more than we or the back end take; null for none. */
export function sizeRefusal(
  { size }: Sender,
  ours: number,
  capabilities: Capabilities | null,
): Reply | null {
  const sizeMax = Math.min(ours, sizeMaxOf(capabilities ?? noCapabilities))
  const isTooLarge = size !== null && size > sizeMax
  return isTooLarge ? reply(552, '5.3.4', `Message exceeds ${sizeMax} bytes`) : null
}
