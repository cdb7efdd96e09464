/**
 * What follows from findings: which make the client wait, which have it come back later, which have
 * it refused, and which are only written down. Pure; the waiting is done elsewhere.
 */
import { z } from 'zod'
import { domainPattern } from '../core/envelope.ts'
import { type Action, actions, type Finding } from '../core/ledger.ts'
import { weigh } from './weigh.ts'

/** The [recipients] table: other actions for mail to some domains. */
export const recipientsOptions = z
  .record(
    z
      .string()
      .toLowerCase()
      .regex(new RegExp(`^${domainPattern}$`, 'u'), 'expected a domain such as "example.net"'),
    z.strictObject({
      actions: z
        .record(z.string(), z.enum(actions))
        .default({})
        .meta({ example: { 'unqual-helo': 'observe' } })
        .describe('What follows from reasons, by their names, in place of their own `action`.'),
    }),
  )
  .prefault({})
  .meta({ example: { 'example.net': { actions: { 'unqual-helo': 'observe' } } } })

export type RecipientsOptions = z.infer<typeof recipientsOptions>

export interface Consequences {
  /** What the wait is measured by, excuses included. */
  readonly delay: readonly Finding[]
  readonly greylist: readonly Finding[]
  readonly reject: readonly Finding[]
}

/** The findings with the actions that count for a recipient in this domain. */
export function findingsFor(
  findings: readonly Finding[],
  domain: string,
  recipients: RecipientsOptions,
): readonly Finding[] {
  const own = recipients[domain]?.actions
  if (own === undefined) return findings
  return findings.flatMap((finding) => {
    const action: Action = own[finding.reason] ?? finding.action
    return action === 'off' ? [] : [{ ...finding, action }]
  })
}

/** Sorts findings by what follows from them. One that is excused altogether has no consequence. */
export function consequencesOf(findings: readonly Finding[]): Consequences {
  const acting = findings.filter(({ action }) => action !== 'observe')
  const standing = weigh(acting, 1)
    .weighed.filter(({ finding, counts }) => counts > 0 || finding.weight === 0)
    .map(({ finding }) => finding)
    .filter(({ excuses }) => excuses.length === 0)
  return {
    delay: acting.filter(({ action, excuses }) => action === 'delay' || excuses.length > 0),
    greylist: standing.filter(({ action }) => action === 'greylist'),
    reject: standing.filter(({ action }) => action === 'reject'),
  }
}

/** Reasons that are off everywhere but are wanted for some domain: they are to be looked for. */
export function wantedFor(recipients: RecipientsOptions): ReadonlySet<string> {
  const wanted = Object.values(recipients).flatMap(({ actions: own }) =>
    Object.entries(own).flatMap(([name, action]) => (action === 'off' ? [] : name)),
  )
  return new Set(wanted)
}
