/** The commands, flags, scripts and files that the documentation names are there. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { longFlags } from '../../src/cli/command-line.ts'
import { idleProgram } from '../helpers/idle-program.ts'

const root = join(import.meta.dirname, '../..')
/** Decisions are of their day. */
const pages = globSync(['*.md', 'docs/*.md', 'docs/recipes/*.md', 'docker/*.yaml', 'systemd/*'], {
  cwd: root,
})
const read = (file: string) => readFileSync(join(root, file), 'utf8')

const commands = new Map(idleProgram.commands.map((command) => [command.name(), command]))
const scripts: Readonly<Record<string, string>> = JSON.parse(read('package.json')).scripts

describe('the documentation names', () => {
  for (const page of pages) {
    // A command goes on after a backslash at the end of the line.
    const text = read(page).replace(/ \\\n\s*/g, ' ')

    it(`${page}: commands and flags that there are`, () => {
      const said = text.matchAll(
        /(?:`|^ {4,}|^|&& |exec |main\.[jt]s |env )treacle ([a-z]+)([^`\n|#]*)/gm,
      )
      for (const [line, name = '', rest = ''] of said) {
        const command = commands.get(name)
        if (command === undefined && !isCommandLine(line)) continue
        assert.ok(command, `${page}: no such command: ${line.trim()}`)
        for (const [flag] of rest.matchAll(/(?<=\s)--[a-z-]+/g)) {
          assert.ok(longFlags(command).includes(flag), `${page}: no such flag: ${line.trim()}`)
        }
      }
    })

    it(`${page}: scripts and files that there are`, () => {
      for (const [, name = ''] of text.matchAll(/\bnpm run (?:-s )?([a-z:]+)/g)) {
        assert.ok(name in scripts, `${page}: no such script: npm run ${name}`)
      }
      const files = /(?<![\w/.*-])(?:src|docs|docker|conf|test|systemd|bench)\/[\w./-]*\w/g
      for (const [file] of text.matchAll(files)) {
        if (isPlaceholder(file)) continue
        const isThere = [root, join(root, 'docs'), join(root, 'docker')].some((folder) =>
          existsSync(join(folder, file)),
        )
        assert.ok(isThere, `${page}: no such file: ${file}`)
      }
    })
  }
})

function isCommandLine(line: string): boolean {
  return /^(?:`| {4})treacle /.test(line)
}

/** "NAME" stands for any; units are "treacle.*" when they are copied. */
function isPlaceholder(file: string): boolean {
  return file.includes('NAME') || file === 'systemd/treacle'
}
