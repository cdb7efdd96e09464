/** Reads lines as a file of a format, and says in a few words what came out. */
import { EximReader } from '../../src/cli/read-exim.ts'
import { PostfixReader } from '../../src/cli/read-postfix.ts'
import type { Reader, Recorded, Sink } from '../../src/cli/read-record.ts'
import { TsvReader } from '../../src/cli/read-tsv.ts'

export interface Collected {
  readonly connections: readonly Recorded[]
  /** "line: expected". */
  readonly bad: readonly string[]
}

const readers: Readonly<Record<'tsv' | 'exim' | 'postfix', (sink: Sink) => Reader>> = {
  tsv: (sink) => new TsvReader(sink),
  exim: (sink) => new EximReader(sink),
  postfix: (sink) => new PostfixReader(sink),
}

export function collect(format: keyof typeof readers, lines: readonly string[]): Collected {
  const connections: Recorded[] = []
  const bad: string[] = []
  const reader = readers[format]({
    connection: (recorded) => connections.push(recorded),
    bad: (line, expected) => bad.push(`${line}: ${expected}`),
  })
  for (const [index, text] of lines.entries()) reader.push(text, index + 1)
  reader.end()
  return { connections, bad }
}

/** "accepted 192.0.2.1 name(verified) HELO helo from sender to a,b". */
export function brief({ label, ip, name, nameState, helo, sender, recipients }: Recorded): string {
  const parts = [label, ip.text, `${name}(${nameState})`, `HELO ${helo}`, `from ${sender}`]
  return [...parts, `to ${recipients.join(',')}`].join(' ')
}
