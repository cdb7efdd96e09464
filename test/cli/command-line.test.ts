/** What is written from the commands: completion, as the real shells do it, and the man page. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { CommandLike } from '../../src/cli/command-line.ts'
import { completion, type Shell, shells } from '../../src/cli/completion.ts'
import { manPage } from '../../src/cli/man-page.ts'
import { idleProgram } from '../helpers/idle-program.ts'

const command = (name: string): CommandLike => ({
  name: () => name,
  description: () => `It's what ${name} does.`,
  options: [],
  registeredArguments: [],
  commands: [],
})
const root = join(import.meta.dirname, '../..')
const run = (shell: string, args: readonly string[]) =>
  execFileSync(shell, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' })

/** What a real shell offers after what has been typed. */
const offers: Readonly<Record<Shell, (typed: readonly string[]) => readonly string[]>> = {
  bash(typed) {
    const words = typed.map((word) => `'${word}'`).join(' ')
    const ask = `COMP_WORDS=(${words}); COMP_CWORD=${typed.length - 1}; _treacle; printf '%s\\n' "\${COMPREPLY[@]}"`
    return run('bash', ['-c', `${completion(idleProgram, 'bash')}\n${ask}`]).split('\n')
  },
  /** It has bash's by way of an emulation, and then drops what does not begin with what was typed. */
  zsh(typed) {
    const words = typed.map((word) => `'${word}'`).join(' ')
    const start = 'autoload -U compinit; compinit -u -D\n'
    const ask = `COMP_WORDS=(${words}); COMP_CWORD=${typed.length - 1}; setopt ksharrays shwordsplit; _treacle; print -l -- "\${COMPREPLY[@]}"`
    const lines = run('zsh', ['-fc', `${start}${completion(idleProgram, 'zsh')}\n${ask}`]).split(
      '\n',
    )
    return lines.filter((line) => line.startsWith(typed.at(-1) ?? ''))
  },
  fish(typed) {
    const ask = `complete -C '${typed.join(' ')}'`
    const lines = run('fish', ['-N', '-c', `${completion(idleProgram, 'fish')}\n${ask}`]).split(
      '\n',
    )
    return lines.map((line) => line.split('\t')[0] ?? '')
  },
}

describe('completion', () => {
  const cases = [
    { typed: ['treacle', ''], wanted: ['replay', 'demo', 'run'], unwanted: ['package.json'] },
    { typed: ['treacle', 'r'], wanted: ['run', 'replay'], unwanted: ['demo'] },
    { typed: ['treacle', 'health', '--'], wanted: ['--config', '--live'], unwanted: ['--id'] },
    { typed: ['treacle', 'run', '--config', 'packa'], wanted: ['package.json'], unwanted: ['run'] },
    { typed: ['treacle', 'run', '-c', 'packa'], wanted: ['package.json'], unwanted: ['run'] },
    { typed: ['treacle', 'replay', 'packa'], wanted: ['package.json'], unwanted: ['run'] },
    {
      typed: ['treacle', 'replay', '--format', ''],
      wanted: ['exim', 'postfix'],
      unwanted: ['run'],
    },
    { typed: ['treacle', 'try', '--ip', ''], wanted: [], unwanted: ['run', 'package.json'] },
    { typed: ['treacle', 'completion', ''], wanted: ['bash', 'zsh'], unwanted: ['run'] },
    { typed: ['treacle', 'run', 'packa'], wanted: [], unwanted: ['package.json'] },
  ]
  for (const shell of shells) {
    for (const { typed, wanted, unwanted } of cases) {
      it(`${shell} offers ${wanted.join(', ') || 'nothing'} for "${typed.join(' ')}"`, () => {
        const found = offers[shell](typed)
        for (const word of wanted) assert.ok(found.includes(word), `${word} of ${found}`)
        for (const word of unwanted) assert.ok(!found.includes(word), `${word} of ${found}`)
      })
    }
  }
})

describe('the man page', () => {
  it('has every command and flag, with what they take', () => {
    const page = manPage({ program: idleProgram, variables: [] })
    assert.match(page, /^\.B treacle run$/m)
    assert.match(page, /^\.B treacle replay <file\.\.\.>$/m)
    assert.match(page, /^\.B treacle explain \[file\]$/m)
    assert.match(page, /^\.B \\-c, \\-\\-config <file>$/m)
    assert.match(page, /find out the format by the first lines \(tsv, exim, postfix\)\.$/m)
    assert.match(page, /^the server\. Default: 127\.0\.0\.1:2525\.$/m)
    for (const code of ['0', '1', '64', '66', '69', '70', '78'])
      assert.match(page, new RegExp(`^\\.B ${code}$`, 'm'))
  })

  it('has no text that is taken for a request', () => {
    const odd = { ...command('odd'), description: () => '.Begins with a dot' }
    const program = { ...command('treacle'), commands: [odd] }
    assert.match(manPage({ program, variables: [] }), /^\\&\.Begins with a dot$/m)
  })

  it('is understood by groff without a warning', () => {
    const page = join(root, 'docs/treacle.8')
    const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', page])
    assert.equal(stderr.toString(), '')
    assert.match(stdout.toString(), /tarpitting SMTP front-end proxy/)
  })
})
