/** How much a client may send at a time, and what it hears of it. */
import { reply } from '../core/reply.ts'
import type { ServerParts } from './parts.ts'

/** What a client may send while its command is pending; more would go unread, and its leaving unseen. */
export const pendingInputMax = 128 * 1024
/** RFC 4954 section 4: the longest line, of AUTH with an initial response. */
export const commandMax = 12_288

export const goAhead = reply(354, '', 'End data with <CR><LF>.<CR><LF>')
export const help = reply(214, '2.0.0', 'What may be said here is in RFC 5321')
export const cannotVerify = reply(252, '2.1.5', 'Send it, and the mail server behind us will say')
export const tooSlow = reply(421, '4.4.2', 'Timeout: you took too long')
export const tooMuchInput = reply(421, '4.7.0', 'Too much input while you were to wait')

/** Commands that the package would answer and we do not. */
export function disabledCommands({ tls, auth }: Pick<ServerParts, 'tls' | 'auth'>): string[] {
  return [
    ...['WIZ', 'SHELL', 'KILL', 'XCLIENT', 'XFORWARD'],
    ...(tls === null ? ['STARTTLS'] : []),
    ...(auth ? [] : ['AUTH']),
  ]
}
