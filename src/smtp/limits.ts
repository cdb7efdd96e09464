/** How much a client may send at a time, and what it hears of it. */
import { reply } from '../core/reply.ts'
import type { ServerParts } from './parts.ts'

/** What a client may send while its command is pending; more would go unread, and its leaving unseen. */
export const pendingInputMax = 128 * 1024

/** Of a line of AUTH that is longer than may be, so much more is read to find its end. */
export const loginExcessMax = 64 * 1024

export const goAhead = reply(354, '', 'End data with <CR><LF>.<CR><LF>')
export const tooSlow = reply(421, '4.4.2', 'Timeout: you took too long')
export const lineTooLong = reply(421, '4.5.2', 'Line too long')
export const contentTooSlow = reply(421, '4.4.2', 'Timeout: the message comes too slowly')
export const outOfStep = reply(421, '4.7.0', 'You sent a message before it was asked for')
export const tooMuchInput = reply(421, '4.7.0', 'Too much input while you were to wait')

export const bye = reply(221, '2.0.0', 'Bye')

/** Commands that are obeyed; conduct.ts answers all others. */
export function commandsOf({ tls, auth }: Pick<ServerParts, 'tls' | 'auth'>): ReadonlySet<string> {
  return new Set([
    ...['HELO', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'RSET', 'NOOP', 'QUIT', 'XCLIENT'],
    ...(tls === null ? [] : ['STARTTLS']),
    ...(auth ? ['AUTH'] : []),
  ])
}
