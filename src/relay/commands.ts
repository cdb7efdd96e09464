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
  const dsn = capabilities.has('DSN')
  return [
    `MAIL FROM:<${sender.address}>`,
    sender.size !== null && capabilities.has('SIZE') ? `SIZE=${sender.size}` : '',
    sender.body !== null && capabilities.has('8BITMIME') ? `BODY=${sender.body}` : '',
    sender.smtputf8 ? 'SMTPUTF8' : '',
    sender.requireTls ? 'REQUIRETLS' : '',
    sender.ret !== null && dsn ? `RET=${sender.ret}` : '',
    sender.envid !== null && dsn ? `ENVID=${toXtext(sender.envid)}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
}

export function rcptCommand(
  { address, notify, orcpt }: Recipient,
  capabilities: Capabilities,
): string {
  const dsn = capabilities.has('DSN')
  return [
    `RCPT TO:<${address}>`,
    notify !== null && dsn ? `NOTIFY=${notify}` : '',
    orcpt !== null && dsn ? `ORCPT=${orcpt.type};${toXtext(orcpt.address)}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
}
