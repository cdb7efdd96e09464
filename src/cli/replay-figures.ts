/** Figures as people read them: 12,345, 3.4 %, 2 d 4 h; and columns that line up. */
import type { Ms } from '../core/clock.ts'
import { visible } from '../core/text.ts'
import type { Example } from './replay-tally.ts'

export function count(figure: number): string {
  return figure.toLocaleString('en-US')
}

/** Two digits that say something: 45.1 %, 0.06 %. A share of nothing is a dash. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '-'
  const percent = (100 * part) / whole
  return `${percent.toFixed(percent > 0 && percent < 1 ? 2 : 1)} %`
}

const units: readonly (readonly [string, Ms])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]

/** The two largest units of a length of time: "3 d 4 h", "1 m 52 s", "0 s". */
export function time(ms: Ms): string {
  const first = units.findIndex(([, unitMs]) => Math.abs(ms) >= unitMs)
  if (first === -1) return ms === 0 ? '0 s' : `${(ms / 1_000).toFixed(1)} s`
  let rest = Math.abs(ms)
  const parts = units.slice(first, first + 2).map(([name, unitMs]) => {
    const amount = Math.floor(rest / unitMs)
    rest -= amount * unitMs
    return amount === 0 ? '' : `${amount} ${name}`
  })
  return `${ms < 0 ? '-' : ''}${parts.filter((part) => part !== '').join(' ')}`
}

/** The first column to the left, the others to the right, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(...rows.map((row) => row[index]?.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0
        return index === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
}

/** Words of a list in lines that fit a terminal, the later ones moved in. */
export function wrapped(heading: string, words: readonly string[]): string[] {
  const lines: string[] = []
  let line = heading
  for (const [index, word] of words.entries()) {
    const piece = index === words.length - 1 ? word : `${word},`
    if (line.length + 1 + piece.length > widthMax) {
      lines.push(line)
      line = `  ${piece}`
    } else line = `${line} ${piece}`
  }
  return [...lines, line]
}

const widthMax = 100

/** Where a connection is told of, and who it was. What strangers wrote is escaped. */
export function whoIs(example: Example, manyFiles: boolean): string {
  const { file, line, client, helo, sender } = example
  const parts = [`${manyFiles ? `${file} ` : ''}line ${line}: ${client}`, nameText(example)]
  if (helo !== '') parts.push(`HELO ${helo}`)
  if (sender !== null) parts.push(`from ${sender === '' ? '<>' : sender.replace(/^@/, '...@')}`)
  return visible(parts.join(' '), 400)
}

function nameText({ name, nameState }: Example): string {
  if (name === '') return nameState === 'none' ? '(no name)' : '(name not known)'
  return nameState === 'unverified' ? `${name} (leads elsewhere)` : name
}
