/** The blocks of a page that are marked with the file they belong into. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const docs = join(import.meta.dirname, '../../docs')

/** By file name: "```text main.cf" opens the one of main.cf. */
export function blocksOf(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(docs, page), 'utf8')
  const found = text.matchAll(/^ *```\w+ (\S+)\n([\s\S]*?)^ *```/gm)
  return new Map([...found].map(([, file = '', block = '']) => [file, block]))
}

/** One block; a recipe without it is broken. */
export function blockOf(page: string, file: string): string {
  const block = blocksOf(page).get(file)
  if (block === undefined) throw new Error(`docs/${page} has no block for ${file}`)
  return block
}
