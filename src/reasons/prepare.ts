/** Makes one reason of a definition and its settings. */
import type { z } from 'zod'
import type { Action, Stage } from '../core/ledger.ts'
import type { Reason, ReasonDefinition, ReasonOptions, Shared } from './reason.ts'

/** One reason, or none when it is off. */
export function prepare<S extends Stage, O extends z.ZodType<ReasonOptions>>(
  definition: ReasonDefinition<S, O>,
  options: z.infer<O>,
  shared: Shared,
): Reason<S>[] {
  const { name, stage } = definition
  const action = actionIn(name, options, shared)
  if (action === 'off') return []
  const { find, header } = definition.prepare(options, shared)
  const letter = shared.botnet.exact ? letterOf[name] : undefined
  const { weight, excuses = [] } = letter ?? { weight: options.weight, excuses: definition.excuses }
  return [
    { name, stage, action, weight, excuses, find, header: (facts) => header?.(facts) ?? null },
  ]
}

/** What is off, but wanted for mail to some domain, is looked for and written down. */
function actionIn(name: string, { action }: ReasonOptions, { wanted }: Shared): Action {
  return action === 'off' && wanted.has(name) ? 'observe' : action
}

/** Botnet has no weights: any of three earns everything, and SOHO takes away two of them. */
const letterOf: Readonly<
  Record<string, { readonly weight: number; readonly excuses?: readonly string[] }>
> = {
  'botnet-nordns': { weight: 1_000 },
  'botnet-baddns': { weight: 1_000 },
  'botnet-client': { weight: 1_000 },
  'botnet-ipinhostname': { weight: 0 },
  'botnet-clientwords': { weight: 0 },
  'botnet-soho': { weight: 2_000, excuses: ['botnet-baddns', 'botnet-client'] },
}
