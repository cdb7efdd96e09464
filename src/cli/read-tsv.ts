/**
 * Reads a table of labelled connections: tab-separated, the names of the columns in the first line.
 *
 * `ip` must be there. The others may: `label`, `source`, `hop`, `rdns`, `rdns_state` (name,
 * unverified, none, unknown, unrecorded), `helo`, `env_domain`, `from_domain`. Columns of other names
 * are nobody's business.
 */
import { parseIp } from '../core/ip.ts'
import type { NameState, Reader, Sink } from './read-record.ts'

const states: Readonly<Record<string, NameState>> = {
  name: 'verified',
  verified: 'verified',
  unverified: 'unverified',
  none: 'none',
  unknown: 'unknown',
  unrecorded: 'unrecorded',
}

type Column =
  | 'label'
  | 'source'
  | 'hop'
  | 'ip'
  | 'rdns'
  | 'rdns_state'
  | 'helo'
  | 'env_domain'
  | 'from_domain'

/** True for a first line that names the columns of such a table. */
export function isTableHead(line: string): boolean {
  return line.includes('\t') && line.split('\t').includes('ip')
}

export class TsvReader implements Reader {
  readonly #sink: Sink
  #columns = new Map<string, number>()

  constructor(sink: Sink) {
    this.#sink = sink
  }

  push(text: string, line: number): void {
    if (text === '') return
    if (this.#columns.size === 0) return this.#head(text, line)
    const cells = text.split('\t')
    const cell = (column: Column) => cells[this.#columns.get(column) ?? -1] ?? ''
    if (cells.length !== this.#columns.size) {
      const has = `${cells.length} ${cells.length === 1 ? 'column' : 'columns'}`
      return this.#sink.bad(
        line,
        `${this.#columns.size} columns as in the first line, found ${has}`,
      )
    }
    this.#row(cell, line)
  }

  end(): void {}

  #head(text: string, line: number): void {
    if (!isTableHead(text)) {
      return this.#sink.bad(line, 'the names of the columns, "ip" among them, with tabs between')
    }
    this.#columns = new Map(text.split('\t').map((name, index) => [name, index]))
  }

  #row(cell: (column: Column) => string, line: number): void {
    const ip = parseIp(cell('ip'))
    if (ip === null) return this.#sink.bad(line, `an address in column "ip", found "${cell('ip')}"`)
    const name = cell('rdns').toLowerCase().replace(/\.$/, '')
    const nameState = this.#columns.has('rdns_state')
      ? states[cell('rdns_state')]
      : stateWithoutColumn(name)
    if (nameState === undefined) {
      const expected = `one of ${Object.keys(states).join(', ')} in column "rdns_state"`
      return this.#sink.bad(line, `${expected}, found "${cell('rdns_state')}"`)
    }
    this.#sink.connection({
      line,
      label: cell('label'),
      source: cell('source'),
      hop: cell('hop'),
      ip,
      name,
      nameState,
      helo: cell('helo'),
      sender: senderOf(cell),
      recipients: [],
      earlyTalk: null,
      authenticated: false,
    })
  }
}

function stateWithoutColumn(name: string): NameState {
  return name === '' ? 'unknown' : 'verified'
}

/**
 * The domain of MAIL FROM as this host said it. At the first hop into a mailing list the recorded
 * envelope is the one that the list put on later, so the author's domain stands in for it.
 */
function senderOf(cell: (column: Column) => string): string | null {
  const [first, second] =
    cell('hop') === 'list' ? [cell('from_domain'), ''] : [cell('env_domain'), cell('from_domain')]
  const domain = first === '' ? second : first
  return domain === '' ? null : `@${domain}`
}
