/** `treacle manual`: writes what the schema says into conf/treacle.toml and docs/manual.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { variables } from '../config/environment.ts'
import { manualOf, tomlOf } from '../config/manual.ts'
import { configSchema } from '../config/schema.ts'

/** Writes both files below `root`. */
export function writeManual(root: string): void {
  for (const { path, text } of pages(root)) writeFileSync(path, text)
}

/** The files below `root` that are not what they should be. */
export function outdatedPages(root: string): string[] {
  return pages(root)
    .filter(({ path, text }) => readOrEmpty(path) !== text)
    .map(({ path }) => path)
}

function pages(root: string): { readonly path: string; readonly text: string }[] {
  return [
    { path: join(root, 'conf/treacle.toml'), text: tomlOf(configSchema) },
    { path: join(root, 'docs/manual.md'), text: manualOf(configSchema, variables) },
  ]
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A page that is not there is outdated.
    return ''
  }
}
