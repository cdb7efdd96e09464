/** What the SMTP server is made of. */
import type { Clock } from '../core/clock.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from '../relay/capabilities.ts'
import type { SmtpLimits } from './limit-options.ts'

export interface ServerParts {
  readonly name: string
  /** Our certificate and its key, as PEM; null: no STARTTLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null
  /** Whether AUTH is offered under TLS. */
  readonly auth: boolean
  readonly limits: SmtpLimits
  /** What the back end offered when last spoken to. */
  readonly capabilities: () => Capabilities | null
  readonly clock: Clock
  readonly log: Log
}
