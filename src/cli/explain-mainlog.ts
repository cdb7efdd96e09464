/**
 * A line of a main log in words.
 *
 * A main log names the reasons and not what gave them away, so that is found again by the settings of
 * today; what they do not find any more is said as well.
 */
import { type Ip, parseIp } from '../core/ip.ts'
import { visible } from '../core/text.ts'
import { clientLines, findingLines } from './explain-ledger.ts'
import type { Recorded } from './read-record.ts'
import { time } from './replay-figures.ts'
import type { Judge } from './replay-judge.ts'

const stamp = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)? ?/.source
const warning = new RegExp(
  `${stamp}(.*?) ?Warning: \\S+: (\\S+) \\(([^\\s)]*)\\) - reason: (.+?) - ` +
    'sender is (.*?) - for (.*?) - delay was (\\d+|XXX) secs$',
)
const gone = new RegExp(
  `${stamp}unexpected disconnection while reading SMTP command from ` +
    '(?:[^\\s()[\\]]+ )?(?:\\((.{0,512}?)\\) )?\\[([0-9a-fA-F.:]+)\\](?:.* D=([\\d.]+)s)?',
)
const claimed = /H=(?:[^\s()[\]]+ )?\((.{0,512}?)\) \[/

/** Treacle writes no longer lines; strangers would like us to search them. */
const lineMax = 4_000

/**
 * @param client Only lines about this one; null for all.
 * @returns null for a line about something, or somebody, else.
 */
export async function fromMainLog(
  text: string,
  client: string | null,
  judge: Judge,
): Promise<readonly string[] | null> {
  if (text.length > lineMax) return null
  const left = gone.exec(text)
  if (left !== null) return client === null || client === left[3] ? hungUp(left) : null
  const delayed = delayedIn(text)
  if (delayed === null || (client !== null && delayed.ip.text !== client)) return null
  return await delayedLines(delayed, judge)
}

interface Delayed {
  readonly at: string
  readonly ip: Ip
  readonly hostname: string
  readonly helo: string
  readonly reasons: string
  readonly sender: string
  readonly recipient: string
  /** "XXX" where the log was made unreadable on purpose. */
  readonly seconds: string
}

function delayedIn(text: string): Delayed | null {
  const match = warning.exec(text)
  if (match === null) return null
  const [, at = '', host = '', address = '', hostname = ''] = match
  const [reasons = '', sender = '', recipient = '', seconds = ''] = match.slice(5)
  const ip = parseIp(address)
  if (ip === null) return null
  const helo = claimed.exec(host)?.[1] ?? hostname
  return { at, ip, hostname, helo, reasons, sender, recipient, seconds }
}

async function delayedLines(delayed: Delayed, judge: Judge): Promise<string[]> {
  const { at, ip, hostname, helo, reasons, sender, recipient, seconds } = delayed
  const recorded: Recorded = {
    ...{ line: 0, label: '', source: '', hop: '', earlyTalk: null, authenticated: false },
    ...{ ip, name: hostname.toLowerCase(), helo, sender },
    nameState: hostname === '' ? 'unknown' : 'verified',
    recipients: [recipient],
  }
  const { weighed, fraction } = await judge(recorded)
  const found = weighed.map(({ finding }) => finding)
  const lost = reasons.split(' ').filter((name) => !found.some(({ reason }) => reason === name))
  const planned = seconds === 'XXX' ? 'delay not told' : `planned ${time(1_000 * Number(seconds))}`
  return [
    visible(`${at === '' ? '(no time stamp)' : at}  ${ip.text}`),
    ...clientLines({ hostname, helo, protocol: '', login: '' }),
    visible(`  RCPT     TO:<${recipient}> from <${sender}>: delayed for ${reasons}`, 600),
    `           ${planned}; a main log does not tell what was waited`,
    `  today    by the settings of today the line earns ${Math.round(100 * fraction)} % of the delay:`,
    ...findingLines(found),
    ...(lost.length === 0 ? [] : [visible(`           not found again: ${lost.join(', ')}`)]),
  ]
}

function hungUp([, at = '', helo = '', client = '', seconds]: RegExpExecArray): string[] {
  const when = at === '' ? '(no time stamp)' : at
  const after =
    seconds === undefined ? '' : ` ${time(1_000 * Number(seconds))} after it had come in`
  return [visible(`${when}  ${client}${helo === '' ? '' : ` (${helo})`} hung up${after}`)]
}
