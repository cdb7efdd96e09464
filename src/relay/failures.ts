/** Why there is no conversation with the back end, and what the client hears of it. */
import { type Reply, reply, replyText } from '../core/reply.ts'

/** None of its addresses could be reached. */
export class BackendUnreachable extends Error {
  override readonly name = 'BackendUnreachable'
}

/** It went away, fell silent, or answered with something that is no reply. */
export class BackendLost extends Error {
  override readonly name = 'BackendLost'
}

/** It may not be used, since it cannot be told who the client is and would trust us instead. */
export class OpenRelayRisk extends Error {
  override readonly name = 'OpenRelayRisk'
}

/** It may not be used for a client that came under TLS: it has none, and the way there is public. */
export class InTheClear extends Error {
  override readonly name = 'InTheClear'
}

/** The conversation that the client had logged in to is over, and another cannot be told of it. */
export class LoginLost extends Error {
  override readonly name = 'LoginLost'
}

/** The back end did not want to talk with this client; the reply is its own. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reply: Reply

  constructor(answer: Reply) {
    super(replyText(answer))
    this.reply = answer
  }
}

const unreachable = reply(
  451,
  '4.4.1',
  'The mail server behind us cannot be reached; try again later',
)
const unsafe = reply(
  451,
  '4.3.5',
  'Mail cannot be passed on at the moment; the operator has been told',
)
export const changedMind = reply(
  451,
  '4.3.0',
  'The mail server behind us has changed its mind; try again',
)
export const changedExtensions = reply(
  451,
  '4.3.0',
  'Extensions have changed since EHLO; try again',
)
export const notOurs = reply(550, '5.7.1', 'We do not relay to that domain')
export const routesOn = reply(
  550,
  '5.7.1',
  'We do not relay for "%", "!", "@" or ":" before the last "@"',
)
export const oneByOne = reply(
  452,
  '4.5.3',
  'One recipient for each message, please; send the others again',
)
export const noRecipients = reply(554, '5.5.1', 'No valid recipients')

/** It died or fell silent under way: nothing was accepted, nothing is lost. */
export const wentAway = reply(451, '4.4.2', 'The mail server behind us went away; try again later')
/** Hangs up, so that the client comes again and logs in by itself. */
const logInAgain = reply(421, '4.4.2', 'The mail server behind us went away; please log in again')

/** What the client hears instead of the back end; null when it is none of these. */
export function replyTo(error: unknown): Reply | null {
  if (error instanceof BackendUnreachable) return unreachable
  if (error instanceof OpenRelayRisk || error instanceof InTheClear) return unsafe
  if (error instanceof LoginLost) return logInAgain
  return error instanceof Refusal ? error.reply : null
}
