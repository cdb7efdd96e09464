/** Every link in the documentation that stays in this repository leads somewhere. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const pages = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root })

describe('the documentation', () => {
  for (const page of pages) {
    it(`${page} links to what is there`, () => {
      const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
      for (const [, target = ''] of links) {
        if (!/^(?:https?|mailto):/.test(target)) leadsSomewhere(page, target)
      }
    })
  }

  it('lists every page', () => {
    const index = read('docs/README.md') + read('docs/recipes/README.md')
    for (const page of pages) {
      if (!/^docs\/(?:recipes\/)?[^/]+\.md$/.test(page) || page.endsWith('README.md')) continue
      const name = page.split('/').at(-1) ?? ''
      assert.ok(index.includes(`${name})`), `docs/README.md does not mention ${page}`)
    }
  })
})

function leadsSomewhere(page: string, target: string): void {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path)
  assert.ok(existsSync(join(root, file)), `${page}: ${target}`)
  const isThere = anchor === undefined || anchorsIn(read(file)).includes(anchor)
  assert.ok(isThere, `${page}: no such heading: ${target}`)
}

function read(file: string): string {
  const path = join(root, file)
  return statSync(path).isDirectory() ? '' : readFileSync(path, 'utf8')
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
}

/** As GitHub makes them of headings. */
function anchorsIn(text: string): string[] {
  return [...withoutFences(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutFences(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '')
}
