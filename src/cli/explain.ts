/**
 * `treacle explain`: why a client was kept waiting, from the log lines that it left.
 *
 * Reads Treacle's JSON log, where each connection is a ledger, and lines of a main log in Exim's
 * form, Treacle's own or those of the recipe of 2004.
 */
import { ledgerLines, storedLedger } from './explain-ledger.ts'
import { fromMainLog } from './explain-mainlog.ts'
import { linesOf } from './read-lines.ts'
import type { Judge } from './replay-judge.ts'

export interface Question {
  /** "-" for the standard input. */
  readonly file: string
  /** Only the connection of this id; null for all. */
  readonly id: string | null
  /** Only those of this client; null for all. */
  readonly client: string | null
}

/** What came of a search. */
export interface Explained {
  readonly connectionCount: number
  /** Connections that were not asked about. */
  readonly otherCount: number
  readonly lineCount: number
  /** The first lines that begin like a ledger and are none, with what was expected. */
  readonly bad: readonly { readonly line: number; readonly expected: string }[]
}

/** What a line says; `other` is about something else, `another` about somebody else. */
type Told =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'other' | 'another' }
  | { readonly kind: 'wrong'; readonly expected: string }

const badMax = 5

/**
 * @param judge Finds again what a main log does not tell.
 * @throws InputError when the file cannot be read.
 */
export async function explain(
  question: Question,
  judge: Judge,
  print: (line: string) => void,
): Promise<Explained> {
  const bad: { line: number; expected: string }[] = []
  let lineCount = 0
  let connectionCount = 0
  let otherCount = 0
  for await (const text of eachLine(question.file)) {
    lineCount += 1
    const told = await tell(text, question, judge)
    if (told.kind === 'wrong' && bad.length < badMax) {
      bad.push({ line: lineCount, expected: told.expected })
    }
    if (told.kind === 'another') otherCount += 1
    if (told.kind !== 'lines') continue
    if (connectionCount > 0) print('')
    connectionCount += 1
    for (const line of told.lines) print(line)
  }
  return { connectionCount, otherCount, lineCount, bad }
}

async function* eachLine(file: string): AsyncGenerator<string> {
  for await (const lines of linesOf(file)) yield* lines
}

async function tell(text: string, question: Question, judge: Judge): Promise<Told> {
  if (text.startsWith('{')) return fromJson(text, question)
  // The lines of a main log have no id.
  if (question.id !== null) return { kind: 'other' }
  const lines = await fromMainLog(text, question.client, judge)
  return lines === null ? { kind: 'other' } : { kind: 'lines', lines }
}

function fromJson(text: string, { id, client }: Question): Told {
  const value = parsed(text)
  if (value === null) return { kind: 'wrong', expected: 'one JSON object a line' }
  if (!('event' in value) || value.event !== 'connection') return { kind: 'other' }
  const { success, data, error } = storedLedger.safeParse(value)
  if (!success) {
    const [issue] = error.issues
    const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`
    return { kind: 'wrong', expected: `the ledger of a connection${where}` }
  }
  const asked = (id === null || data.id === id) && (client === null || data.client === client)
  return asked ? { kind: 'lines', lines: ledgerLines(data) } : { kind: 'another' }
}

function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    // A log may break off in the middle of a line.
    return null
  }
}
