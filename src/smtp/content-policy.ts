/** What [data] and [limits] mean for the messages of one client. */
import type { Ip } from '../core/ip.ts'
import { type Reply, reply } from '../core/reply.ts'
import type { DataOptions } from './data-options.ts'
import type { ContentFault, ScanRules } from './data-scan.ts'
import type { SmtpLimits } from './limit-options.ts'

export const refusals: Readonly<Record<ContentFault, Reply>> = {
  'bare-newline': reply(550, '5.5.2', 'Lines must end in CR LF; a bare CR or LF is not accepted'),
  nul: reply(550, '5.6.0', 'The message has NUL characters'),
  'long-line': reply(550, '5.6.0', 'The message has lines that are too long'),
}

export function scanRules(
  client: Ip,
  { bare_newline, nul, long_lines, exempt }: DataOptions,
  { text_line_max }: Pick<SmtpLimits, 'text_line_max'>,
): ScanRules {
  const isExempt = exempt.some((network) => network.contains(client))
  const mends: ContentFault[] = []
  if (isExempt || bare_newline === 'normalize') mends.push('bare-newline')
  if (isExempt || nul === 'replace') mends.push('nul')
  return { mends, lineMax: isExempt || long_lines === 'pass' ? Infinity : text_line_max }
}
