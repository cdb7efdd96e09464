/** What the SMTP server is made of. */
import type { Clock } from '../core/clock.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from '../relay/capabilities.ts'
import type { DataOptions } from './data-options.ts'
import type { HandshakeParts } from './handshake.ts'
import type { SmtpLimits } from './limit-options.ts'

export interface ServerParts {
  readonly name: string
  /** null: no STARTTLS. */
  readonly tls: HandshakeParts | null
  /** Whether AUTH is offered under TLS. */
  readonly auth: boolean
  readonly limits: SmtpLimits
  readonly data: DataOptions
  /** What the back end offered when last spoken to. */
  readonly capabilities: () => Capabilities | null
  readonly clock: Clock
  readonly log: Log
}
