/** What the SMTP server is made of. */
import type { Log } from '../observe/log.ts'
import type { Capabilities } from '../relay/capabilities.ts'

export interface ServerParts {
  readonly name: string
  /** Our certificate and its key, as PEM; null: no STARTTLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null
  /** Whether AUTH is offered under TLS. */
  readonly auth: boolean
  readonly idleTimeoutMs: number
  readonly sizeMax: number
  /** What the back end offered when last spoken to. */
  readonly capabilities: () => Capabilities | null
  readonly log: Log
}
