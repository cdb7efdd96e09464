/** What is written from the commands: completion, as a real bash does it, and the man page. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { CommandLike } from '../../src/cli/command-line.ts'
import { completion } from '../../src/cli/completion.ts'
import { manPage } from '../../src/cli/man-page.ts'

const command = (name: string, options: CommandLike['options'] = []): CommandLike => ({
  name: () => name,
  description: () => `It's what ${name} does.`,
  options,
  registeredArguments: [],
  commands: [],
})
const config = { flags: '-c, --config <file>', long: '--config', description: 'the config file' }
const program: CommandLike = {
  ...command('treacle'),
  commands: [command('run', [config]), command('check', [config]), command('demo')],
}

describe('completion', () => {
  const cases = [
    { typed: ['treacle', ''], offers: ['check', 'demo', 'help', 'run', '--help'] },
    { typed: ['treacle', 'r'], offers: ['run'] },
    { typed: ['treacle', 'check', '--'], offers: ['--config', '--help'] },
    { typed: ['treacle', 'run', '--config', 'packa'], offers: ['package.json'] },
  ]
  for (const { typed, offers } of cases) {
    it(`bash offers ${offers.join(', ')} for "${typed.join(' ')}"`, () => {
      const words = typed.map((word) => `'${word}'`).join(' ')
      const ask = `COMP_WORDS=(${words}); COMP_CWORD=${typed.length - 1}; _treacle; printf '%s\\n' "\${COMPREPLY[@]}"`
      const script = `${completion(program, 'bash')}\n${ask}`
      const root = join(import.meta.dirname, '../..')
      const said = execFileSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' })
      const found = new Set(said.trim().split('\n'))
      for (const offer of offers) assert.ok(found.has(offer), said)
      if (typed.at(-1) !== '') assert.ok(!found.has('demo'))
    })
  }

  it('knows zsh and fish, quotes what it says, and knows no other shell', () => {
    assert.match(completion(program, 'zsh') ?? '', /^#compdef treacle\n/)
    assert.match(completion(program, 'fish') ?? '', /-a run -d 'It\\'s what run does\.'/)
    assert.equal(completion(program, 'csh'), null)
  })
})

describe('the man page', () => {
  it('has every command and flag, and no text that is taken for a request', () => {
    const odd = { ...command('odd'), description: () => '.Begins with a dot' }
    const page = manPage({
      program: { ...program, commands: [...program.commands, odd] },
      variables: [],
    })
    assert.match(page, /^\.B treacle run$/m)
    assert.match(page, /^\.B \\-c, \\-\\-config <file>$/m)
    assert.match(page, /^\\&\.Begins with a dot$/m)
  })

  it('that is shipped names every exit code of ours', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/treacle.8'), 'utf8')
    for (const code of ['0', '1', '64', '69', '70', '78'])
      assert.match(page, new RegExp(`^\\.B ${code}$`, 'm'))
    for (const name of ['run', 'check', 'health', 'completion'])
      assert.ok(page.includes(`treacle ${name}`))
  })
})
