/** What EHLO offers: only what we and the back end both do, and what is between the client and us. */
import { type Capabilities, sizeMaxOf } from '../relay/capabilities.ts'
import type { Offered } from './command.ts'
import { xclientKeyword } from './xclient.ts'

export interface Ours {
  /** The largest message that we take, in bytes. */
  readonly sizeMax: number
  readonly startTls: boolean
  /** Whether we are under TLS. */
  readonly secure: boolean
  readonly auth: boolean
  /** Whether the client may say that it speaks for others. */
  readonly xclient: boolean
}

/**
 * The lines of the EHLO reply after the first.
 *
 * Never CHUNKING: BDAT is not implemented. Never PIPECONNECT: it would make early talk legal.
 *
 * @param capabilities The back end's; null while it has not been reached, when little is promised.
 */
export function keywords(capabilities: Capabilities | null, ours: Ours): string[] {
  const offered = offeredBy(capabilities, ours.secure)
  const sizeMax = Math.min(
    ours.sizeMax,
    capabilities === null ? ours.sizeMax : sizeMaxOf(capabilities),
  )
  return [
    'PIPELINING',
    ...(offered.size ? [`SIZE ${sizeMax}`] : []),
    ...(offered.eightBitMime ? ['8BITMIME'] : []),
    ...(offered.smtputf8 ? ['SMTPUTF8'] : []),
    ...(offered.dsn ? ['DSN'] : []),
    ...(offered.requireTls ? ['REQUIRETLS'] : []),
    ...(capabilities?.has('ENHANCEDSTATUSCODES') ? ['ENHANCEDSTATUSCODES'] : []),
    ...(ours.startTls ? ['STARTTLS'] : []),
    ...(ours.auth && takesPlain(capabilities) ? ['AUTH PLAIN LOGIN'] : []),
    ...(ours.xclient ? [xclientKeyword] : []),
  ]
}

/**
 * The extensions whose parameters are taken.
 *
 * @param secure Whether the client speaks to us under TLS, as REQUIRETLS wants it all the way.
 */
export function offeredBy(capabilities: Capabilities | null, secure: boolean): Offered {
  return {
    // We check sizes ourselves, whatever the back end does.
    size: true,
    eightBitMime: capabilities?.has('8BITMIME') ?? false,
    smtputf8: capabilities?.has('SMTPUTF8') ?? false,
    dsn: capabilities?.has('DSN') ?? false,
    requireTls: secure && (capabilities?.has('REQUIRETLS') ?? false),
  }
}

/** Logins are asked of the back end with AUTH PLAIN; one that we do not know yet may take it. */
function takesPlain(capabilities: Capabilities | null): boolean {
  return capabilities === null || /\bPLAIN\b/i.test(capabilities.get('AUTH') ?? '')
}
