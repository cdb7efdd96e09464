/**
 * How a client behaves: each line is judged before anybody acts on it.
 *
 * What is no line of SMTP, and what nobody has, is answered here; who goes too far is closed.
 */
import { type Reply, reply } from '../core/reply.ts'
import type { Log } from '../observe/log.ts'
import type { Session } from '../session/session.ts'
import { Budget, type Excess } from './budget.ts'
import type { SmtpLimits } from './limit-options.ts'
import { lineTooLong } from './limits.ts'
import type { Line } from './line-reader.ts'
import { isHttp, isNotImplemented, mustBeLast, verbOf } from './verbs.ts'

export type Verdict =
  | Command
  /** @property skip How many bytes follow that are no command. */
  | { readonly kind: 'answer'; readonly answer: Reply; readonly skip: number }
  /** Hears this, and is closed. */
  | { readonly kind: 'close'; readonly last: Reply }

/** A command to be obeyed, whole, and its first word in capitals. */
export interface Command {
  readonly kind: 'obey'
  readonly verb: string
  readonly line: Buffer
}

const unknown = reply(500, '5.5.1', 'Command not recognized')
const notImplemented = reply(502, '5.5.1', 'Command not implemented')
/** Before anything is asked of the back end, VRFY can only tell what is to be told to everybody. */
const cannotVerify = reply(252, '2.1.5', 'Send it, and the mail server behind us will say')
const help = reply(214, '2.0.0', 'What may be said here is in RFC 5321')
const bareNewline = reply(500, '5.5.2', 'Lines must end in CR LF, and have neither elsewhere')
/** Where its octets end, and commands begin again, only its sender knows. */
const unsizedChunk = reply(421, '4.7.0', 'We offer no BDAT, and this one does not say its size')
const otherProtocol = reply(421, '4.7.0', 'This is a mail server')

/** Always the same. */
const answers: Readonly<Record<string, Reply | undefined>> = { VRFY: cannotVerify, HELP: help }

export class Conduct {
  readonly #session: Session
  readonly #log: Log
  readonly #budget: Budget

  constructor(session: Session, { limits, log }: { limits: SmtpLimits; log: Log }) {
    this.#session = session
    this.#log = log
    this.#budget = new Budget(limits)
  }

  /**
   * @param more Whether the client has sent more, without waiting for the reply.
   * @param commands Those that there are here.
   */
  judge(line: Line, more: boolean, commands: ReadonlySet<string>): Verdict {
    if (line.kind === 'bare-newline') return { kind: 'answer', answer: bareNewline, skip: 0 }
    if (line.kind === 'too-long') return { kind: 'close', last: lineTooLong }
    if (line.kind === 'tls') return { kind: 'close', last: otherProtocol }
    const verb = verbOf(line.bytes)
    if (isHttp(verb)) return { kind: 'close', last: otherProtocol }
    const excess = this.#budget.spend(verb)
    if (excess !== null) return { kind: 'close', last: tooMany(excess) }
    if (more && mustBeLast(verb)) this.#tooSoon(verb)
    const answer = answers[verb]
    if (answer !== undefined) return { kind: 'answer', answer, skip: 0 }
    if (commands.has(verb)) return { kind: 'obey', verb, line: line.bytes }
    const skip = chunkSizeOf(line.bytes)
    if (skip === null) return { kind: 'close', last: unsizedChunk }
    return { kind: 'answer', answer: isNotImplemented(verb) ? notImplemented : unknown, skip }
  }

  /** The client has been answered. @returns Its last reply, when there were too many of these. */
  answered(code: number): Reply | null {
    const excess = this.#budget.answered(code)
    return excess === null ? null : tooMany(excess)
  }

  #tooSoon(command: string): void {
    this.#session.screening.talkedTooSoon(command)
    this.#log.event('client.too-soon', { client: this.#session.client.ip.text, command })
  }

  /** A message was accepted, which makes good for much. */
  delivered(): void {
    this.#budget.renew()
  }

  /** The session ends because of how the client behaves. */
  closed(last: Reply): void {
    const client = this.#session.client.ip.text
    this.#log.event('client.cut-off', { client, why: last.lines[0] })
    this.#session.end(last)
  }
}

/**
 * How many bytes come after BDAT, at once and whatever the reply (RFC 3030 section 2): were they read
 * as commands, whoever wrote the message would give them.
 *
 * @returns 0 where it is no BDAT; null where nobody can tell.
 */
function chunkSizeOf(line: Buffer): number | null {
  const text = line.toString('latin1')
  if (!/^BDAT(?![A-Z0-9])/i.test(text)) return 0
  const [, count] = /^BDAT\s+\+?(\d{1,15})(?:\s+LAST)?\s*$/i.exec(text) ?? []
  return count === undefined ? null : Number(count)
}

function tooMany(excess: Excess): Reply {
  return reply(421, '4.7.0', `Too many ${excess}`)
}
