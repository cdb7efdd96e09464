/**
 * Reads the main log of Exim: who came in, what it called itself, what it wanted, what it got.
 *
 * Lines about mail going out (=>, ->, ==, **) are of other hosts and are passed over. Exim numbers
 * connections only when told to (log_selector +connection_id, +pid or +incoming_port); without
 * that, lines about one address count as one connection until it was silent for five minutes.
 */
import { addressLiteral, type Ip, parseIp } from '../core/ip.ts'
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

const silenceSeconds = 300
/** Two lines may tell of one end: "no MAIL in SMTP connection", "closed by QUIT". */
const sameEndSeconds = 2

const stamp = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: [+-]\d{4})? /
const syslog = /^\S.{0,100}?\bexim\d?\[(\d+)\]: /
const head = /^(?:\[(\d+)\] )?(?:(\w{6}-\w{6,11}-\w{2,4}) )?/

/** name (helo) [address]:port, the first two as far as they are known. */
const host = /(?:([^\s()[\]]+) )?(?:\((.{0,512}?)\) )?\[([0-9a-fA-F.:]+)\](?::(\d+))?/.source
const arrived = new RegExp(`^<= (?:"(?:[^"\\\\]|\\\\.)*"@\\S*|\\S+) (?:R=\\S+ )?H=${host} `)
const inHost = new RegExp(`(?:^| )H=${host}`, 'g')
const fromHost = new RegExp(
  `(?:connection(?: Ci=\\d+)? from|SMTP call from|SMTP command from|authenticator failed for) (?:H=)?${host}`,
)
const inward =
  /\brejected\b|\bWarning: |\bsender verify |\bdiscarded\b|^SMTP (?:syntax|protocol) error|\bincomplete transaction\b/
const goesOut = /^(?:=>|->|\*>|>>|==|\*\*|Completed$|H=[^"]{0,600}?\](?::\d+)?: (?:SMTP|Remote) )/
const ended =
  /closed by |\blost\b|^unexpected disconnection|timeout on connection|^no MAIL in|\bdropped:/
const talkedEarly = /input sent without waiting for greeting\).*? input="(.*)"$/

/** True for a line that only Exim writes. */
export function isEximLine(line: string): boolean {
  if (syslog.test(line) || /^SMTP (?:call|command|connection|protocol|syntax) /.test(line))
    return true
  return stamp.test(line) && / (?:H=|<= |=> |\*\* |== |SMTP |Completed$|no host name )/.test(line)
}

interface Client {
  readonly ip: Ip
  readonly name: string
  readonly helo: string
  readonly port: string
}

interface Line {
  readonly line: number
  readonly at: number
  readonly pid: string
  readonly rest: string
}

export class EximReader implements Reader {
  readonly #sink: Sink
  readonly #gathering: Gathering
  readonly #names = new NameMemory()
  readonly #ended = new WeakSet<Pending>()

  constructor(sink: Sink) {
    this.#sink = sink
    this.#gathering = new Gathering(sink)
  }

  push(text: string, line: number): void {
    if (text === '' || text.startsWith('#')) return
    const read = readHead(text, line)
    this.#gathering.closeSilent(read.at - silenceSeconds)
    if (goesOut.test(read.rest) || this.#learnName(read.rest)) return
    const outcome = this.#told(read)
    if (outcome === 'stranger' && !stamp.test(text) && !syslog.test(text)) {
      this.#sink.bad(line, 'a time stamp such as "2024-01-31 12:00:00"')
    }
    if (outcome === 'unreadable') {
      this.#sink.bad(line, 'a client such as "H=mail.example.org (helo.name) [192.0.2.1]"')
    }
  }

  end(): void {
    this.#gathering.end()
  }

  /** `stranger`: a line about something else. */
  #told(read: Line): 'client' | 'stranger' | 'unreadable' {
    const { rest } = read
    const isArrival = rest.startsWith('<= ')
    if (isArrival && !/ H=/.test(rest)) return 'stranger'
    const isInward = isArrival || inward.test(withoutQuoted(rest))
    const match = matchOf(rest, isArrival, isInward)
    if (match === null) return isInward && /(?:^| )H=/.test(rest) ? 'unreadable' : 'stranger'
    const [, name = '', helo = '', address = '', port = ''] = match
    const ip = parseIp(address)
    if (ip === null) return 'unreadable'
    if (isLoopback(ip) || / I=\[[^\]]*\]:(?:465|587)\b/.test(rest)) return 'client'
    const client = { ip, name: name.toLowerCase(), helo, port }
    const pending = this.#pendingOf(client, read, isArrival)
    if (isArrival) noteArrival(pending, rest)
    else noteAttempt(pending, rest)
    return 'client'
  }

  #pendingOf(client: Client, read: Line, isArrival: boolean): Pending {
    const number = /\bCi=(\w+)/.exec(read.rest)?.[1] ?? ''
    const unique = [number, client.port, read.pid].find((id) => id !== '')
    const key = `${client.ip.text} ${unique ?? ''}`
    const isEnd = ended.test(read.rest)
    const open = this.#gathering.get(key)
    if (open !== undefined) {
      const sameEnd = isEnd && read.at - open.heardAt <= sameEndSeconds
      const over = this.#ended.has(open) && !sameEnd
      const again = unique === undefined && isAnother(open, client, isArrival)
      if (over || again) this.#gathering.close(key)
    }
    const pending = this.#gathering.of(key, client.ip, read.line, read.at)
    if (isEnd) this.#ended.add(pending)
    this.#noteClient(pending, client)
    return pending
  }

  #noteClient(pending: Pending, { ip, name, helo }: Client): void {
    // Exim leaves HELO out where it is the verified name.
    if (name !== '') Object.assign(pending, { name, nameState: 'verified' })
    else if (pending.nameState === 'unknown') Object.assign(pending, this.#names.of(ip))
    if (helo !== '') pending.helo = helo
    else if (pending.helo === '') pending.helo = name
  }

  /** What Exim says of a name that it looked for in vain (log_selector +host_lookup_failed). */
  #learnName(rest: string): boolean {
    const none = /^no host name found for IP address (\S+)$/.exec(rest)
    if (none !== null) return this.#names.learn(none[1], '')
    const nowhere =
      /^no IP address found for host (\S+) \(during SMTP connection from .*\[(\S+)\]\)$/.exec(rest)
    if (nowhere !== null) return this.#names.learn(nowhere[2], nowhere[1])
    const elsewhere = /^(\S+) does not match any IP address for (\S+)$/.exec(rest)
    return elsewhere === null ? false : this.#names.learn(elsewhere[1], elsewhere[2])
  }
}

/** Without a number to go by: it calls itself something else, or brings a second message. */
function isAnother(open: Pending, { helo }: Client, isArrival: boolean): boolean {
  if (isArrival && open.outcome === 'accepted') return true
  return open.helo !== '' && helo !== '' && open.helo !== helo
}

function readHead(text: string, line: number): Line {
  const over = syslog.exec(text)
  const own = over === null ? text : text.slice(over[0].length)
  const time = stamp.exec(own)
  const [year = 0, month = 1, ...clock] = time?.slice(1, 7).map(Number) ?? []
  const at = time === null ? 0 : Date.UTC(year, month - 1, ...clock) / 1_000
  const body = time === null ? own : own.slice(time[0].length)
  const [start = '', pid = ''] = head.exec(body) ?? []
  return { line, at, pid: pid === '' ? (over?.[1] ?? '') : pid, rest: body.slice(start.length) }
}

/** Strangers write what stands in quotation marks; the words that we look for are Exim's. */
function withoutQuoted(rest: string): string {
  return rest.replace(/"(?:[^"\\]|\\.)*"/g, '""')
}

function matchOf(rest: string, isArrival: boolean, isInward: boolean): RegExpMatchArray | null {
  if (isArrival) return arrived.exec(rest)
  if (isInward) {
    // A command that is quoted before may say "H=" as well; Exim's own comes last.
    const own = rest.replace(/ (?:next )?input=".*$/, '')
    const last = [...own.matchAll(inHost)].at(-1)
    if (last !== undefined) return last
  }
  return fromHost.exec(withoutQuoted(rest))
}

function noteArrival(pending: Pending, rest: string): void {
  accept(pending)
  const sender = /^<= ("(?:[^"\\]|\\.)*"@\S*|\S+)/.exec(rest)?.[1]
  noteSender(pending, sender === '<>' ? '' : sender)
  const protocol = / P=(\S+)/.exec(rest)?.[1] ?? ''
  if (/^(?:esmtps?a|asmtp)$/.test(protocol)) pending.authenticated = true
  // A literal of the client's own address is not shown as HELO either.
  if (pending.helo === '' && protocol.startsWith('e')) pending.helo = addressLiteral(pending.ip)
  const recipients = / for (\S+@\S+(?: \S+@\S+)*)$/.exec(rest.replace(/ T="(?:[^"\\]|\\.)*"/, ''))
  for (const recipient of recipients?.[1]?.split(' ') ?? []) noteRecipient(pending, recipient)
}

function noteAttempt(pending: Pending, rest: string): void {
  if (/\brejected\b/.test(withoutQuoted(rest))) refuse(pending)
  const warned = / - sender is (.*?) - for (\S+) - delay was /.exec(rest)
  noteSender(pending, warned?.[1])
  noteRecipient(pending, warned?.[2])
  noteSender(pending, /(?:^| )F=(?:<([^>]*)>|([^\s<]+))/.exec(rest)?.slice(1).join(''))
  noteSender(pending, / rejected MAIL <([^>]*)>/.exec(rest)?.[1])
  noteRecipient(pending, / rejected RCPT <?([^\s<>]+@[^\s<>:]+)/.exec(rest)?.[1])
  pending.earlyTalk ??= talkedEarly.exec(rest)?.[1] ?? null
}
