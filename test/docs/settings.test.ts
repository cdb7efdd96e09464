/** The settings that the documentation shows and names are settings that there are. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { events } from '../../src/observe/events.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
/** Decisions are of their day. */
const pages = globSync(['*.md', 'docs/*.md', 'docs/recipes/*.md'], { cwd: root })

describe('settings shown', () => {
  const shown = pages.flatMap((page) =>
    [...read(page).matchAll(/^ *```toml ?(\S*)\n([\s\S]*?)^ *```/gm)].map(
      ([, file = '', toml = '']) => ({ where: `${page} ${file}`.trim(), toml, whole: file !== '' }),
    ),
  )
  const files = globSync('docker/**/treacle.toml', { cwd: root }).map((where) => ({
    ...{ where, toml: read(where), whole: true },
  }))
  for (const { where, toml, whole } of [...shown, ...files]) {
    it(`${where} is a configuration`, () => {
      const { introduce, recipient_domains } = parseConfig(configSchema, toml, where).backend
      const isSafe = /^(?:xclient|proxy-v\d)$/.test(introduce) || recipient_domains.length > 0
      assert.ok(isSafe || !whole, 'and makes no open relay')
    })
  }
  it('there are some', () => assert.ok(shown.length >= 15 && files.length >= 2))
})

describe('settings named', () => {
  const names = new Set(settingsIn(read('docs/manual.md')))
  const tables = [...new Set([...names].map((name) => name.split('.')[0] ?? ''))]
  const setting = new RegExp(`\`\\[?((?:${tables.join('|')})(?:\\.[\\w*-]+)+)([^\`]*)\``, 'g')
  for (const page of pages) {
    it(`${page} names those that there are`, () => {
      const named = [...read(page).matchAll(setting)]
        .map(([, name = '', rest = '']) => ({ name, rest }))
        .filter(({ name }) => !(name in events || isFile(name)))
      for (const { name } of named) assert.ok(isThere(name), `${page}: no such setting: ${name}`)
      for (const { name, rest } of named) {
        if (rest.startsWith(' = ')) parseConfig(configSchema, `${name}${rest}`, page)
      }
    })
  }

  /** Also a table, and what the operator has named in one. */
  function isThere(name: string): boolean {
    const isTable = [...names].some((each) => each.startsWith(`${name}.`))
    return isTable || names.has(name) || names.has(name.replace(/\.[^.]+$/, ''))
  }
})

/** "table.key", in the order of the manual. */
function settingsIn(manual: string): string[] {
  let table = ''
  return manual.split('\n').flatMap((line) => {
    const [, heading] = /^## `\[+(.*?)\]+`/.exec(line) ?? []
    if (heading !== undefined) table = `${heading.replaceAll('"', '')}.`
    const [, key] = /^- \*\*`(\w+)`\*\*/.exec(line) ?? []
    return key === undefined || table === '' ? [] : [`${table}${key}`]
  })
}

function isFile(name: string): boolean {
  return /\.(?:ini|conf|cf|ts|md|toml)$/.test(name)
}
