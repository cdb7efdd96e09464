/**
 * `treacle manual`: writes what the schema says into conf/treacle.toml and docs/manual.md, the events
 * into docs/events.md, and what the commands say into the man page.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { variables } from '../config/environment.ts'
import { manualOf, tomlOf } from '../config/manual.ts'
import { configSchema } from '../config/schema.ts'
import type { CommandLike } from './command-line.ts'
import { eventsPage } from './events-page.ts'
import { manPage } from './man-page.ts'

/** Writes these files below `root`. */
export function writeManual(root: string, program: CommandLike): void {
  for (const { path, text } of pages(root, program)) writeFileSync(path, text)
}

/** The files below `root` that are not what they should be. */
export function outdatedPages(root: string, program: CommandLike): string[] {
  return pages(root, program)
    .filter(({ path, text }) => readOrEmpty(path) !== text)
    .map(({ path }) => path)
}

function pages(
  root: string,
  program: CommandLike,
): { readonly path: string; readonly text: string }[] {
  return [
    { path: join(root, 'conf/treacle.toml'), text: tomlOf(configSchema) },
    { path: join(root, 'docs/manual.md'), text: manualOf(configSchema, variables) },
    { path: join(root, 'docs/events.md'), text: eventsPage() },
    { path: join(root, 'docs/treacle.8'), text: manPage({ program, variables }) },
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
