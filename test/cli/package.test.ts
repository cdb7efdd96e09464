/** The npm package: packed, installed into an empty folder, and run from there. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'treacle-package-'))
after(() => rmSync(folder, { recursive: true }))

describe('the npm package', () => {
  it('has what it needs and nothing else, and runs where it is installed', () => {
    const files = pack()
    for (const wanted of [
      'package.json',
      'LICENSE',
      'README.md',
      'dist/main.js',
      'conf/treacle.toml',
      'conf/dubious_helo',
      'docs/treacle.8',
      'systemd/treacle.service',
    ]) {
      assert.ok(files.includes(wanted), `${wanted} is in the package`)
    }
    const strange = files.filter((file) => /^(?:src|test|node_modules|docker|var)\//.test(file))
    assert.deepEqual(strange, [])

    const { man } = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8'))
    assert.deepEqual(man, ['docs/treacle.8'], 'npm links pages of a list only')

    const treacle = install()
    assert.match(readFileSync(treacle, 'utf8'), /^#!\/usr\/bin\/env node\n/)
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    assert.equal(run(treacle, ['--version']).trim(), version)
    const config = join(folder, 'treacle.toml')
    writeFileSync(config, 'backend.addresses = ["192.0.2.1:25"]\n')
    assert.equal(run(treacle, ['check', '--config', config]), `${config}: fine\n`)
  })
})

/** @returns The names of the files in it. */
function pack(): string[] {
  const text = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [{ filename = '', files = [] } = {}] = JSON.parse(text.slice(text.indexOf('['))) as {
    filename: string
    files: { path: string }[]
  }[]
  execFileSync('tar', ['xzf', join(folder, filename), '-C', folder])
  return files.map(({ path }) => path)
}

/** Unpacked as npm does it; what it depends on is what we have here, so that no registry is asked. */
function install(): string {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'package/dist/main.js')
}

function run(treacle: string, args: readonly string[]): string {
  return execFileSync(process.execPath, [treacle, ...args], { cwd: folder, encoding: 'utf8' })
}
