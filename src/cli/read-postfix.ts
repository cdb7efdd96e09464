/**
 * Reads the mail log of Postfix: smtpd and postscreen tell who came, qmgr tells who sent.
 *
 * One smtpd process serves one connection at a time, so lines of a process between two connects are
 * about one client. Of mail that was accepted Postfix does not write down HELO; such connections are
 * judged without it. Submission services (submission, smtps) are not on port 25 and passed over.
 */
import { parseIp } from '../core/ip.ts'
import {
  accept,
  Gathering,
  noteRecipient,
  noteSender,
  type Pending,
  refuse,
} from './read-gather.ts'
import { isLoopback, NameMemory } from './read-names.ts'
import type { Reader, Sink } from './read-record.ts'

const form =
  /^(?:<\d+>)?(?:[A-Z][a-z]{2} {1,2}\d{1,2} [\d:]{8}|\d{4}-\d\d-\d\d[T ]\S+) \S+ (postfix[^\s[]*)\/([a-z]+)\[(\d+)\]: (.*)$/
const client = /(?:^|[\s=])([^\s[\]=]+)\[([0-9a-fA-F.:]+)\]/
const screened = / ?\[([0-9a-fA-F.:]+)\]:(\d+)/
const queueMax = 10_000

/** True for a line that only Postfix writes. */
export function isPostfixLine(line: string): boolean {
  return form.test(line)
}

export class PostfixReader implements Reader {
  readonly #sink: Sink
  readonly #gathering: Gathering
  readonly #names = new NameMemory()
  /** Which connection a message came by, for what qmgr says of it. */
  readonly #queue = new Map<string, string>()
  /** The last connection that postscreen has open of an address. */
  readonly #atScreen = new Map<string, string>()
  #clock = 0

  constructor(sink: Sink) {
    this.#sink = sink
    this.#gathering = new Gathering(sink)
  }

  push(text: string, line: number): void {
    if (text === '' || text.startsWith('#')) return
    const match = form.exec(text)
    if (match === null) {
      // Other programs write into the same log.
      if (!/^\S.{5,80}?\[?\d*\]?: /.test(text)) {
        this.#sink.bad(line, 'a line of syslog such as "Jan 31 12:00:00 mx postfix/smtpd[1]: ..."')
      }
      return
    }
    const [, service = '', program, pid = '', rest = ''] = match
    if (/\/(?:submissions?|smtps)\b/.test(service)) return
    this.#clock += 1
    if (program === 'smtpd') this.#smtpd(`${service} ${pid}`, rest, line)
    if (program === 'postscreen') this.#postscreen(rest, line)
    if (program === 'qmgr') this.#qmgr(rest)
  }

  end(): void {
    this.#gathering.end()
  }

  #smtpd(key: string, rest: string, line: number): void {
    const stray = /^warning: hostname (\S+) does not resolve to address ([0-9a-fA-F.:]*[0-9a-fA-F])/
    const learnt = stray.exec(rest)
    if (learnt !== null) return void this.#names.learn(learnt[2], learnt[1])
    const pending = this.#clientOf(key, rest, line)
    if (pending === null) return
    const id = /^([0-9A-Za-z]+): client=/.exec(rest)?.[1]
    if (id !== undefined) {
      accept(pending)
      this.#remember(id, key)
      if (rest.includes(', sasl_username=')) pending.authenticated = true
    }
    noteAttempt(pending, rest)
    if (rest.startsWith('disconnect from ')) this.#gathering.close(key)
  }

  /** The client that a line of smtpd is about; null when it is about none, or not one from outside. */
  #clientOf(key: string, rest: string, line: number): Pending | null {
    if (rest.startsWith('connect from ')) this.#gathering.close(key)
    const match = client.exec(rest.replace(/^(?:\w+: )?[\w-]+: header .*? from /, ''))
    if (match === null) return null
    const [, name = '', address = ''] = match
    const ip = parseIp(address)
    if (ip === null) {
      this.#sink.bad(line, `a client such as "mail.example.org[192.0.2.1]", found "${match[0]}"`)
      return null
    }
    if (isLoopback(ip)) return null
    const open = this.#gathering.get(key)
    if (open !== undefined && open.ip.text !== ip.text) {
      // The log has lost a line; whoever is named now is another client.
      this.#gathering.close(key)
    }
    const pending = this.#gathering.of(key, ip, line, this.#clock)
    if (name !== 'unknown') {
      Object.assign(pending, { name: name.toLowerCase(), nameState: 'verified' })
    } else if (pending.nameState === 'unknown') Object.assign(pending, this.#names.of(ip))
    if (rest.startsWith('connect from ')) this.#leaveScreen(ip.text, pending)
    return pending
  }

  #postscreen(rest: string, line: number): void {
    const match = screened.exec(rest)
    const ip = parseIp(match?.[1] ?? '')
    if (match === null || ip === null || isLoopback(ip)) return
    const key = `screen ${ip.text} ${match[2]}`
    // Who passes is told of again by smtpd.
    if (/^(?:PASS|WHITELISTED|ALLOWLISTED) /.test(rest)) return void this.#gathering.forget(key)
    if (rest.startsWith('DISCONNECT ')) return this.#gathering.close(key)
    const pending = this.#gathering.of(key, ip, line, this.#clock)
    if (pending.nameState === 'unknown') pending.nameState = 'unrecorded'
    this.#screenHolds(ip.text, key)
    pending.earlyTalk ??= /^PREGREET \d+ after .{0,80}? from \S+: (.*)$/.exec(rest)?.[1] ?? null
    noteAttempt(pending, rest)
  }

  #screenHolds(address: string, key: string): void {
    this.#atScreen.set(address, key)
    const [oldest] = this.#atScreen.keys()
    if (this.#atScreen.size > queueMax && oldest !== undefined) this.#atScreen.delete(oldest)
  }

  /** postscreen may let a client go on whose test it only notes down. */
  #leaveScreen(address: string, pending: Pending): void {
    const key = this.#atScreen.get(address)
    this.#atScreen.delete(address)
    const before = key === undefined ? undefined : this.#gathering.forget(key)
    pending.earlyTalk ??= before?.earlyTalk ?? null
  }

  #qmgr(rest: string): void {
    const match = /^([0-9A-Za-z]+): from=<([^>]*)>/.exec(rest)
    const key = this.#queue.get(match?.[1] ?? '')
    const pending = key === undefined ? undefined : this.#gathering.get(key)
    if (pending !== undefined) noteSender(pending, match?.[2])
  }

  #remember(id: string, key: string): void {
    this.#queue.set(id, key)
    const [oldest] = this.#queue.keys()
    if (this.#queue.size > queueMax && oldest !== undefined) this.#queue.delete(oldest)
  }
}

/** What the end of a line about a refusal tells: "; from=<> to=<> proto=ESMTP helo=<>". */
function noteAttempt(pending: Pending, rest: string): void {
  if (!/^\w+: (?:milter-)?(?:reject|discard|filter|hold|warn|reject_warning): /.test(rest)) return
  if (/^\w+: (?:milter-)?reject: /.test(rest)) refuse(pending)
  const tail = rest.slice(Math.max(...['from', 'to', 'proto'].map((key) => startOf(rest, key))))
  noteSender(pending, /[; ]from=<([^>]*)>/.exec(tail)?.[1])
  noteRecipient(pending, /[;, ]to=<([^>]*)>/.exec(tail)?.[1])
  const helo = /[, ]helo=<(.*)>$/.exec(tail)?.[1] ?? ''
  if (helo !== '') pending.helo = helo
}

function startOf(rest: string, key: string): number {
  return rest.lastIndexOf(`; ${key}=`)
}
