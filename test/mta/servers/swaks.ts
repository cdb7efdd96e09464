/** swaks, the SMTP client that testers of mail servers use by hand. */
import { requireCommand } from './installed.ts'
import { type Outcome, run } from './process.ts'

/**
 * Runs swaks with these arguments. Its exit code says what became of the mail, so it is returned
 * and not thrown; it is null when swaks was not done after `timeoutMs` and was killed.
 */
export function swaks(
  args: readonly string[],
  { timeoutMs = 30_000 }: { timeoutMs?: number } = {},
): Promise<Outcome> {
  // Without the user's environment: swaks takes options from there and from a file at home.
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', LC_ALL: 'C' }
  return run(requireCommand('swaks'), args, { timeoutMs, env })
}
