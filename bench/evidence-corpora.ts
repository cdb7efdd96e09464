/** The corpora, and what is counted of each: by connection and by distinct client. */
import { createHash } from 'node:crypto'
import type { Recorded } from '../src/cli/read-record.ts'
import type { Verdict } from './evidence-policy.ts'

export interface Corpus {
  readonly name: string
  readonly kind: 'spam' | 'honest'
  readonly holds: (recorded: Recorded) => boolean
}

const from =
  (source: RegExp, label: string, hop?: string) =>
  (recorded: Recorded): boolean =>
    source.test(recorded.source) &&
    recorded.label === label &&
    (hop === undefined || recorded.hop === hop)

export const corpora: readonly Corpus[] = [
  { name: 'trec07p spam', kind: 'spam', holds: from(/^trec07p$/, 'spam', 'final') },
  { name: 'trec07p spam by lists', kind: 'spam', holds: from(/^trec07p$/, 'spam', 'list') },
  { name: 'SpamAssassin spam', kind: 'spam', holds: from(/^sa:/, 'spam') },
  { name: 'csdmc2010 spam', kind: 'spam', holds: from(/^csdmc2010$/, 'spam') },
  { name: 'phishing_pot', kind: 'spam', holds: from(/^phishing_pot$/, 'spam') },
  {
    name: 'trec07p honest, small servers',
    kind: 'honest',
    holds: from(/^trec07p$/, 'ham', 'list'),
  },
  { name: 'lists since 2019', kind: 'honest', holds: from(/^(?:vger|infradead)/, 'ham', 'list') },
  { name: 'trec07p honest, last hop', kind: 'honest', holds: from(/^trec07p$/, 'ham', 'final') },
  { name: 'SpamAssassin honest', kind: 'honest', holds: from(/^sa:/, 'ham') },
  { name: 'csdmc2010 honest', kind: 'honest', holds: from(/^csdmc2010$/, 'ham') },
]

/** Large senders whose host names alone must never delay them, by their domains. */
export const largeSenders: readonly (readonly [name: string, domains: RegExp])[] = [
  ['Google', /\.google(?:mail)?\.com$/],
  ['Microsoft', /\.(?:outlook|hotmail)\.com$/],
  ['Amazon SES', /\.amazonses\.com$/],
  ['SendGrid', /\.sendgrid\.net$/],
  ['Mailchimp', /\.(?:mcsv|mcdlv|rsgsv|mailchimp|mandrillapp)\.(?:com|net)$/],
  ['Yahoo', /\.yahoo(?:dns)?\.(?:com|net)$/],
  ['Proton', /\.proton(?:mail)?\.(?:ch|me)$/],
  ['Fastmail', /\.messagingengine\.com$/],
]

/** Reasons that go by the host name of the client and by nothing else. */
const byName = ['botnet-client', 'botnet-ipinhostname', 'botnet-clientwords']

export interface Judged {
  readonly recorded: Recorded
  readonly verdict: Verdict
  readonly compared: readonly (readonly [name: string, verdict: Verdict])[]
}

/** How many connections, and how many different clients. */
export class Count {
  connections = 0
  readonly #clients = new Set<string>()

  add(client: string): void {
    this.connections += 1
    this.#clients.add(client)
  }

  get clients(): number {
    return this.#clients.size
  }
}

/** Everything that is counted of one set of rows. */
export class Sum {
  readonly #counts = new Map<string, Count>()

  /** What is counted under a key such as "all", "delayed", "reason botnet-nordns". */
  of(key: string): Count {
    const known = this.#counts.get(key) ?? new Count()
    this.#counts.set(key, known)
    return known
  }

  get keys(): readonly string[] {
    return [...this.#counts.keys()]
  }
}

export class Sums {
  readonly corpora: readonly Corpus[]
  readonly #sums = new Map<string, Sum>()

  constructor(all: readonly Corpus[]) {
    this.corpora = all
  }

  /** @param half One of the two halves of the networks, or all of them. */
  of(corpus: Corpus, half: 'all' | 'a' | 'b' = 'all'): Sum {
    return this.#at(`${corpus.name} ${half}`)
  }

  ofSender(name: string): Sum {
    return this.#at(`sender ${name}`)
  }

  add(corpus: Corpus, judged: Judged): void {
    const { ip, name, helo, nameState } = judged.recorded
    const half = createHash('md5').update(ip.network).digest().readUInt8(0) % 2 === 0 ? 'a' : 'b'
    addTo(this.of(corpus), judged)
    addTo(this.of(corpus, half), judged)
    if (nameState !== 'verified') return
    const sender = largeSenders.find(([, domains]) => domains.test(name))
    if (sender === undefined) return
    const sum = this.ofSender(sender[0])
    const client = `${ip.text} ${name} ${helo}`
    sum.of('all').add(client)
    if (judged.verdict.found.some((reason) => byName.includes(reason)))
      sum.of('by name').add(client)
  }

  #at(key: string): Sum {
    const known = this.#sums.get(key) ?? new Sum()
    this.#sums.set(key, known)
    return known
  }
}

function addTo(sum: Sum, { recorded, verdict, compared }: Judged): void {
  const client = `${recorded.ip.text} ${recorded.name} ${recorded.helo}`
  sum.of('all').add(client)
  if (verdict.delayed) sum.of('delayed').add(client)
  if (verdict.whole) sum.of('whole').add(client)
  for (const reason of verdict.found) sum.of(`reason ${reason}`).add(client)
  for (const [name, other] of compared) if (other.delayed) sum.of(`baseline ${name}`).add(client)
}
