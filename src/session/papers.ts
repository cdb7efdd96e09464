/** What the back end is told about the client: in XCLIENT before the mail, in the header above it. */
import type { Client, Hello } from '../core/client.ts'
import type { Ip } from '../core/ip.ts'
import type { Finding } from '../core/ledger.ts'
import type { Identity } from '../dns/reverse.ts'
import type { Introduction } from '../relay/introduce.ts'
import { headerLine, receivedLine } from '../relay/trace.ts'

/** The unspecified address (RFC 6890): that of nobody, so no mail server takes it for a neighbour's. */
const nowhere: { readonly [family in Ip['family']]: Ip } = {
  4: { text: '0.0.0.0', family: 4, network: '0.0.0.0/24' },
  6: { text: '::', family: 6, network: '::/64' },
}

/** Who the client turned out to be. */
export interface Papers {
  readonly client: Client
  /** Whether the back end is told the address. */
  readonly told: boolean
  /** null while the look-up is under way. */
  readonly identity: Identity | null
  readonly helo: Hello | null
  readonly secure: boolean
  readonly login: string | null
}

/** The confirmed name of the client. */
export function hostnameOf({ identity }: Pick<Papers, 'identity'>): string | null {
  return identity?.confirmed[0] ?? null
}

/** The keyword for Received lines (RFC 3848). */
export function protocolOf({ helo, secure, login }: Papers): string {
  if (helo?.verb !== 'EHLO') return 'SMTP'
  return `ESMTP${secure ? 'S' : ''}${login === null ? '' : 'A'}`
}

export function introductionOf(papers: Papers): Introduction {
  const { client, told, helo, login, secure } = papers
  const identity = told ? papers.identity : null
  return {
    ip: told ? client.ip : nowhere[client.ip.family],
    port: client.port,
    name: hostnameOf({ identity }),
    nameUnknown: identity === null || identity.state === 'unavailable',
    reverseName: identity?.pointers[0] ?? null,
    helo: helo ?? { verb: 'HELO', name: 'unknown' },
    local: client.local,
    login,
    secure,
  }
}

/** The lines that go above a message: Received, and what the reasons that count have to say. */
export function headersOf(papers: Papers, { by, recipients, findings, at }: HeaderFacts): string {
  const received = receivedLine({
    client: papers.client.ip,
    name: hostnameOf(papers),
    helo: papers.helo?.name ?? '',
    protocol: protocolOf(papers),
    by,
    id: papers.client.id,
    recipient: recipients.length === 1 ? (recipients[0] ?? null) : null,
    at,
  })
  const marks = findings
    .filter(({ action }) => action === 'delay')
    .map(({ header }) => header)
    .filter((header) => header !== null)
    .filter((header, at, all) => all.indexOf(header) === at)
  return received + marks.map(headerLine).join('')
}

export interface HeaderFacts {
  /** What we call ourselves. */
  readonly by: string
  /** Those that the back end took. */
  readonly recipients: readonly string[]
  readonly findings: readonly Finding[]
  readonly at: Date
}
