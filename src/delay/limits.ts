/** What waiting adds to the [limits] table: the memory that all clients together may take. */
import type { z } from 'zod'
import { size } from '../core/duration.ts'

export const delayLimits = {
  memory_max: size('512MB').describe(
    'Memory in use above which waits are cut short, the least suspicious first, and new clients hear ' +
      '421, the most suspicious first: at 1.3 times this much all but known good ones. "0B": no limit.',
  ),
}

export type DelayLimits = z.infer<z.ZodObject<typeof delayLimits>>
