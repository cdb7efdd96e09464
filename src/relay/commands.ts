/** MAIL and RCPT as they are said to a back end: with the parameters that it offers, and no others. */
import { type Recipient, type Sender, toXtext } from '../core/envelope.ts'
import type { Capabilities } from './capabilities.ts'

/** True when the sender uses an extension that the back end no longer offers. */
export function needsMore(sender: Sender, capabilities: Capabilities): boolean {
  return (
    (sender.smtputf8 && !capabilities.has('SMTPUTF8')) ||
    (sender.body === '8BITMIME' && !capabilities.has('8BITMIME')) ||
    (sender.requireTls && !capabilities.has('REQUIRETLS'))
  )
}

export function mailCommand(sender: Sender, capabilities: Capabilities): string {
  const { address, size, body, smtputf8, requireTls, ret, envid } = sender
  const has = (extension: string) => capabilities.has(extension)
  const words = [
    size !== null && has('SIZE') && `SIZE=${size}`,
    body !== null && has('8BITMIME') && `BODY=${body}`,
    smtputf8 && 'SMTPUTF8',
    requireTls && 'REQUIRETLS',
    ret !== null && has('DSN') && `RET=${ret}`,
    envid !== null && has('DSN') && `ENVID=${toXtext(envid)}`,
  ]
  return withWords(`MAIL FROM:<${address}>`, words)
}

export function rcptCommand(
  { address, notify, orcpt }: Recipient,
  capabilities: Capabilities,
): string {
  const words = [
    notify !== null && capabilities.has('DSN') && `NOTIFY=${notify}`,
    orcpt !== null && capabilities.has('DSN') && `ORCPT=${orcpt.type};${toXtext(orcpt.address)}`,
  ]
  return withWords(`RCPT TO:<${address}>`, words)
}

/** @param words Parameters; false for those that are not said. */
function withWords(command: string, words: readonly (string | false)[]): string {
  let line = command
  for (const word of words) if (word !== false) line += ` ${word}`
  return line
}
