/**
 * TOML as text: on which line a setting stands, and how keys and values are spelled.
 *
 * The TOML parser forgets lines. `locator` reads the text a second time, for its layout alone: it
 * relies on the parser having accepted the text, and looks at no value. It knows just enough of
 * strings and comments not to be fooled by what is inside them.
 */
import { unquoted } from './toml.ts'

/** The line of the setting at `path`; of the nearest table around it if it is not in the file. */
export type Locate = (path: readonly PropertyKey[]) => number

/** Where a key, a table or an item of a list was written, and what is inside it. */
interface Place {
  line: number
  readonly parts: Map<PropertyKey, Place>
  /** Of `[[name]]`: how many there have been. */
  tablesCount: number
}

const blank = /(?:\s|#[^\n]*)+/y
const bareKey = /[\w-]+/y
const quotedKey = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y
/** The long forms first. Up to two quotes may stand right before the three that end a string. */
const text =
  /"""(?:[^\\]|\\[\s\S])*?"{3,5}(?!")|'''[\s\S]*?'{3,5}(?!')|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y
/** A number, a boolean or a date, which may have a blank in it. */
const plain = /[^,\]}#\n]+/y
const dot = /[ \t]*\.[ \t]*/y

/** Reads the layout of `toml` once; the function that it returns is cheap. */
export function locator(toml: string): Locate {
  const root = new LayoutReader(toml).read()
  return (path) => {
    let place = root
    for (const key of path) {
      const part = place.parts.get(key)
      if (part === undefined) break
      place = part
    }
    return place.line
  }
}

class LayoutReader {
  readonly #toml: string
  #at = 0
  #line = 1

  constructor(toml: string) {
    this.#toml = toml
  }

  read(): Place {
    const root = newPlace(1)
    let table = root
    for (;;) {
      this.#take(blank)
      if (this.#at >= this.#toml.length) return root
      if (this.#take(/\[\[/y) !== '') table = this.#listedTable(root)
      else if (this.#take(/\[/y) !== '') table = this.#table(root)
      else this.#setting(table)
      this.#take(/[^\n]*/y)
    }
  }

  /** The rest of `[a.b]`. Its line replaces that of an earlier `[a.b.c]`, which only implied it. */
  #table(root: Place): Place {
    const table = this.#descend(root, this.#path())
    table.line = this.#line
    return table
  }

  /** The rest of `[[a.b]]`. */
  #listedTable(root: Place): Place {
    const path = this.#path()
    const name = path.pop() ?? ''
    const list = partOf(this.#descend(root, path), name, this.#line)
    list.tablesCount += 1
    return latest(partOf(list, list.tablesCount - 1, this.#line))
  }

  /** `a.b = value`, in a table or between braces. */
  #setting(table: Place): void {
    const place = this.#descend(table, this.#path())
    this.#take(/\s*=/y)
    this.#value(place)
  }

  #value(place: Place): void {
    this.#take(blank)
    if (this.#take(text) !== '') return
    if (this.#take(/\[/y) !== '')
      this.#items(/\]/y, (index) => this.#value(this.#item(place, index)))
    else if (this.#take(/\{/y) !== '') this.#items(/\}/y, () => this.#setting(place))
    else this.#take(plain)
  }

  /** What stands between brackets or braces, comma by comma. */
  #items(end: RegExp, readItem: (index: number) => void): void {
    for (let index = 0; this.#at < this.#toml.length; index += 1) {
      this.#take(blank)
      if (this.#take(end) !== '') return
      const startedAt = this.#at
      readItem(index)
      this.#take(blank)
      this.#take(/,/y)
      if (this.#at === startedAt) this.#take(/[\s\S]/y)
    }
  }

  #item(list: Place, index: number): Place {
    return partOf(list, index, this.#line)
  }

  #path(): string[] {
    const path: string[] = []
    this.#take(/[ \t]*/y)
    do path.push(this.#key())
    while (this.#take(dot) !== '')
    return path
  }

  #key(): string {
    const quoted = this.#take(quotedKey)
    return quoted === '' ? this.#take(bareKey) : unquoted(quoted)
  }

  #descend(from: Place, path: readonly string[]): Place {
    return path.reduce((place, key) => latest(partOf(place, key, this.#line)), latest(from))
  }

  /** Moves past what `form` matches right here, and returns it; '' if it does not match. */
  #take(form: RegExp): string {
    form.lastIndex = this.#at
    const taken = form.exec(this.#toml)?.[0] ?? ''
    this.#at += taken.length
    this.#line += taken.split('\n').length - 1
    return taken
  }
}

function newPlace(line: number): Place {
  return { line, parts: new Map(), tablesCount: 0 }
}

function partOf(place: Place, key: PropertyKey, line: number): Place {
  const known = place.parts.get(key)
  if (known !== undefined) return known
  const part = newPlace(line)
  place.parts.set(key, part)
  return part
}

/** Below a list of tables, keys belong to the one that was opened last. */
function latest(place: Place): Place {
  return place.parts.get(place.tablesCount - 1) ?? place
}

/** A path as reports spell it: `delay.slots`, `listen.addresses[1]`, `reasons["no-ptr"].action`. */
export function keyText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    const name = String(key)
    if (!/^[A-Za-z_]\w*$/.test(name)) return `${text}[${JSON.stringify(name)}]`
    return text === '' ? name : `${text}.${name}`
  }, '')
}

/** A key as TOML wants it. */
export function tomlKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : tomlString(key)
}

/** A value on one line of TOML. */
export function tomlValue(value: unknown): string {
  if (typeof value === 'string') return tomlString(value)
  if (typeof value === 'number') return String(value).replace('Infinity', 'inf')
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const pairs = Object.entries(value).map(([key, part]) => `${tomlKey(key)} = ${tomlValue(part)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

/** In single quotes where that saves doubling backslashes. */
function tomlString(text: string): string {
  return /^[ -&(-~]*\\[ -&(-~]*$/.test(text) ? `'${text}'` : JSON.stringify(text)
}
