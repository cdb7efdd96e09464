/** replay, try and explain as an operator starts them: what they print, and the exit status. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const main = join(import.meta.dirname, '../../src/main.ts')
const sample = join(import.meta.dirname, 'samples/postfix-hl.log')

function treacle(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    ...{ input, encoding: 'utf8', env: { PATH: process.env.PATH } },
  })
  return { status, stdout, stderr }
}

describe('the commands that judge', () => {
  it('replay prints one JSON document', () => {
    const { status, stdout } = treacle(['replay', '--json', sample])
    assert.equal(status, 0)
    const document: unknown = JSON.parse(stdout)
    assert.ok(typeof document === 'object' && document !== null)
    assert.deepEqual(Object.keys(document), [
      ...['kind', 'version', 'config', 'dns', 'target', 'fullAt', 'files', 'names', 'heloUnknown'],
      ...['reasonsFailed', 'labels', 'groups', 'compare'],
    ])
  })

  it('replay reads its input', () => {
    const { status, stdout } = treacle(['replay', '-'], 'ip\thelo\n192.0.2.1\tbox\n')
    assert.equal(status, 0)
    assert.match(stdout, /^-: TSV, 2 lines, 1 connections$/m)
  })

  it('explain says that a log is of others', () => {
    const tried = treacle(['try', '--ip', '192.0.2.1', '--helo', 'box', '--offline', '--json'])
    const { ledger } = JSON.parse(tried.stdout)
    const { status, stderr } = treacle(['explain', '--client', '192.0.2.9'], JSON.stringify(ledger))
    assert.equal(status, 1)
    assert.equal(stderr, '-: no connection of 192.0.2.9, only of others (1)\n')
  })

  it('try prints what would be', () => {
    const { status, stdout } = treacle(['try', '--ip', '192.0.2.1', '--helo', 'box', '--offline'])
    assert.equal(status, 0)
    assert.match(stdout, /^ {2}found {4}at helo {6}unqual-helo/m)
  })

  const failures = [
    { args: ['replay'], status: 64, says: /missing required argument/ },
    { args: ['replay', '--show', 'x', sample], status: 64, says: /Expected a whole number/ },
    { args: ['replay', '/nowhere.log'], status: 66, says: /^\/nowhere\.log: no such file/ },
    {
      args: ['replay', '--config', '/nowhere.toml', sample],
      status: 78,
      says: /no such file; give/,
    },
    { args: ['try', '--ip', 'x'], status: 64, says: /Expected an address such as 192/ },
    { args: ['explain'], status: 1, says: /^-: nothing to explain in 0 lines/ },
  ]
  for (const { args, status, says } of failures) {
    it(`${args.join(' ')} ends with ${status}`, () => {
      const outcome = treacle(args)
      assert.equal(outcome.status, status)
      assert.match(outcome.stderr, says)
    })
  }
})
