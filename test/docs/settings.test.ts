/** The settings that the documentation shows are settings that there are. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { blocksOf } from './blocks.ts'

const root = join(import.meta.dirname, '../..')

describe('settings shown', () => {
  const recipes = globSync('recipes/*.md', { cwd: join(root, 'docs') })
    .flatMap((page) => [...blocksOf(page)].map(([file, toml]) => ({ page, file, toml })))
    .filter(({ file }) => /^treacle.*\.toml$/.test(file))
  const files = globSync('docker/**/treacle.toml', { cwd: root }).map((page) => ({
    page,
    toml: readFileSync(join(root, page), 'utf8'),
  }))
  for (const { page, toml } of [...recipes, ...files]) {
    it(`${page} is a configuration`, () => {
      const config = parseConfig(configSchema, toml, page)
      const { introduce, recipient_domains } = config.backend
      const isSafe = introduce === 'xclient' || recipient_domains.length > 0
      assert.ok(isSafe || /^proxy-/.test(introduce), 'and makes no open relay')
    })
  }
  it('there are some', () => assert.ok(recipes.length >= 6 && files.length >= 2))
})
