/** What the gate gives to those who come: what their connection is made of. */
import type { Socket } from 'node:net'
import type { Network } from '../core/ip.ts'
import type { Governor } from '../delay/governor.ts'
import type { Session, SessionParts, Successor } from '../session/session.ts'
import type { GateLimits } from './limits.ts'
import type { GreetingOptions } from './options.ts'

/** What new connections are made of; a reload brings another of these. */
export interface GateParts {
  /** Whoever connects from here must say in a PROXY header who the client is. */
  readonly proxies: readonly Network[]
  /** Whoever connects from here may say by XCLIENT whom he speaks for. */
  readonly introducers: readonly Network[]
  /** Addresses that many may come from who have others. */
  readonly gateways: ReadonlySet<string>
  readonly limits: GateLimits
  readonly governor: Governor
  readonly greeting: GreetingOptions
  readonly session: SessionParts
  /** Counts the connections that came with these. */
  readonly life: { readonly enter: () => void; readonly leave: () => void }
  /** Begins TLS; null, and the socket closed, when that did not come to be. */
  readonly secure: (socket: Socket, session: Session) => Promise<Socket | null> | null
  /** Speaks SMTP with a client that has been let in. */
  readonly serve: (socket: Socket, session: Session, successor: Successor | null) => void
}
