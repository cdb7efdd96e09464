/** Opens a file of any kind that tells of connections, and hands them over as they are read. */
import { EximReader, isEximLine } from './read-exim.ts'
import { InputError, linesOf } from './read-lines.ts'
import { isPostfixLine, PostfixReader } from './read-postfix.ts'
import type { Reader, Recorded, Sink } from './read-record.ts'
import { isTableHead, TsvReader } from './read-tsv.ts'

export const formats = ['tsv', 'exim', 'postfix'] as const
export type Format = (typeof formats)[number]

/** What came of reading a file. */
export interface Reading {
  readonly file: string
  /** null as long as nothing has been read. */
  format: Format | null
  lines: number
  connections: number
  bad: number
  /** The first few. */
  readonly badLines: { readonly line: number; readonly expected: string }[]
}

const badLinesShown = 5

export function newReading(file: string): Reading {
  return { file, format: null, lines: 0, connections: 0, bad: 0, badLines: [] }
}

/**
 * The connections of a file, a handful at a time.
 *
 * @param reading Is filled in on the way.
 * @param format null to find out by the first lines.
 * @throws InputError when the file cannot be read, or is of no format that we know.
 */
export async function* connectionsOf(
  reading: Reading,
  format: Format | null,
): AsyncGenerator<readonly Recorded[]> {
  let found: Recorded[] = []
  const sink: Sink = {
    connection: (recorded) => found.push(recorded),
    bad: (line, expected) => {
      reading.bad += 1
      if (reading.badLines.length < badLinesShown) reading.badLines.push({ line, expected })
    },
  }
  const take = () => {
    const taken = found
    found = []
    reading.connections += taken.length
    return taken
  }
  let reader: Reader | null = null
  for await (const lines of linesOf(reading.file)) {
    if (reader === null) {
      reading.format = format ?? formatOf(lines, reading.file)
      reader = readerOf(reading.format, sink)
    }
    for (const text of lines) {
      reading.lines += 1
      reader.push(text, reading.lines)
    }
    yield take()
  }
  reader?.end()
  yield take()
}

function readerOf(format: Format, sink: Sink): Reader {
  if (format === 'tsv') return new TsvReader(sink)
  return format === 'exim' ? new EximReader(sink) : new PostfixReader(sink)
}

function formatOf(lines: readonly string[], file: string): Format {
  if (lines.some(isPostfixLine)) return 'postfix'
  if (lines.some(isEximLine)) return 'exim'
  if (isTableHead(lines.find((line) => line !== '') ?? '')) return 'tsv'
  throw new InputError(
    `${file}: of no known format; expected a TSV file with a column "ip", an Exim main log or a ` +
      `Postfix mail log. If it is one of these, say so with --format ${formats.join('|')}`,
  )
}
