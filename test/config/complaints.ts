/** What is wrong with a config file, for the tests. */
import type { z } from 'zod'
import type { Override } from '../../src/config/environment.ts'
import { parseConfig } from '../../src/config/load.ts'
import { ConfigError, type Problem, problemText } from '../../src/core/errors.ts'
import { sample } from './sample.ts'

interface Extra {
  readonly schema?: z.ZodObject
  readonly overrides?: readonly Override[]
  readonly strange?: readonly Problem[]
}

export function complaints(text: string, extra: Extra = {}): string[] {
  return problemsOf(text, extra).map(problemText)
}

/** What is wrong with `text`; anything thrown that is not a ConfigError passes through. */
export function problemsOf(text: string, extra: Extra = {}): readonly Problem[] {
  const { schema = sample, overrides = [], strange = [] } = extra
  try {
    parseConfig(schema, text, 't', overrides, strange)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
