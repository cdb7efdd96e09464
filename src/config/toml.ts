/** TOML text into a document. The only file that knows smol-toml. */
import { parse, TomlDate, TomlError, type TomlTable } from 'smol-toml'

export type { TomlTable }

/** The text is no TOML. */
export class TomlFault extends Error {
  override readonly name = 'TomlFault'
  readonly line: number

  constructor(line: number, what: string) {
    super(what)
    this.line = line
  }
}

/** @throws TomlFault */
export function readToml(text: string): TomlTable {
  try {
    return withoutDates(parse(text, { unsafeKeyBehaviour: 'throw' }))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = /^Invalid TOML document: (.*)/.exec(error.message)?.[1] ?? error.message
    const hint = /numeric|invalid value/.test(reason) ? '; text needs quotes' : ''
    throw new TomlFault(error.line, `not valid TOML, at column ${error.column}: ${reason}${hint}`)
  }
}

/** What a quoted key says, by the parser's own rules for escapes. */
export function unquoted(key: string): string {
  return String(parse(`text = ${key}`).text)
}

/** No setting is a date, and zod takes one for an empty table: make it what nothing accepts. */
function withoutDates(document: TomlTable): TomlTable {
  const tables: object[] = [document]
  for (const table of tables) {
    for (const [key, value] of Object.entries(table)) {
      if (value instanceof TomlDate) Reflect.set(table, key, null)
      else if (typeof value === 'object') tables.push(value)
    }
  }
  return document
}
