/** The rules of the house, kept by a test instead of by reviewers. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'

/** A folder may import from itself and from folders in rows above its own. */
const layers = [
  ['core'],
  ['observe', 'dns', 'memory'],
  ['reasons', 'relay'],
  ['delay'],
  ['session'],
  ['gate', 'smtp'],
  ['admin'],
  ['config'],
  ['cli'],
  ['.'],
]

/** What only one file may mention, and which one that is. */
const monopolies = [
  {
    what: /\bDate\.now\b|\bnew Date\b|(?<!\.)\bset(?:Timeout|Interval)\(|\bperformance\b/,
    owner: 'core/clock.ts',
  },
  { what: /from 'ipaddr\.js'/, owner: 'core/ip.ts' },
  { what: /from 'smtp-server'/, owner: 'smtp/server.ts' },
  { what: /from 'smtp-server\/lib\/smtp-connection'/, owner: 'smtp/wire.ts' },
  { what: /from 'smtp-server\/lib\/smtp-stream'/, owner: 'smtp/parser.ts' },
  { what: /from 'nodemailer/, owner: 'relay/dial.ts' },
  { what: /from 'pino'/, owner: 'observe/log.ts' },
  { what: /from 'tldts'/, owner: 'core/registered-domain.ts' },
  { what: /\bWebAssembly\./, owner: 'core/webassembly.ts' },
  { what: /from 're2js'/, owner: 'core/pattern.ts' },
  { what: /from 'lru-cache'/, owner: 'dns/shared-answers.ts' },
  { what: /import (?!type)[^\n]*from 'node:dns/, owner: 'dns/channel-pool.ts' },
  { what: /from '@peculiar\/x509'/, owner: 'smtp/self-signed.ts' },
  { what: /from 'smol-toml'/, owner: 'config/toml.ts' },
  { what: /from 'fastify'/, owner: 'admin/server.ts' },
  { what: /from 'prom-client'/, owner: 'admin/metrics.ts' },
  { what: /from 'commander'/, owner: 'cli/program.ts' },
  { what: /\bprocess\.(env|argv|exit|exitCode|on)\b/, owner: 'main.ts' },
]

const files = globSync('src/**/*.ts').map((path) => ({
  path: relative('src', path),
  text: readFileSync(path, 'utf8'),
}))

describe('the house', () => {
  it('lets no folder import from a higher one', () => {
    for (const { path, text } of files) {
      for (const [, target = ''] of text.matchAll(/from '(\.[^']+)'/g)) {
        const from = dirname(path).split('/')[0] ?? ''
        const to = dirname(join(dirname(path), target)).split('/')[0] ?? ''
        const allowed = from === to || layerOf(to) < layerOf(from)
        assert.ok(allowed, `${path} imports ${target}: ${from} is not above ${to}`)
      }
    }
  })

  it('keeps each outside thing in the one file that owns it', () => {
    for (const { what, owner } of monopolies) {
      const users = files.filter(({ text }) => what.test(withoutComments(text)))
      assert.ok(
        users.some(({ path }) => path === owner),
        `${owner} does not use ${what}: the rule is about nothing`,
      )
      assert.deepEqual(
        users.map(({ path }) => path).filter((path) => path !== owner),
        [],
        `only ${owner} may use ${what}`,
      )
    }
  })

  it('opens every file with what it is for, and keeps it short', () => {
    for (const { path, text } of files) {
      assert.match(
        text.replace(/^#!.*\n/, ''),
        /^\/\*\* ?\S|^\/\*\*\n/,
        `${path} does not start with a doc comment`,
      )
      assert.ok(text.split('\n').length <= 251, `${path} is longer than 250 lines`)
    }
  })

  it('assigns no function literal to a property (decision 7)', () => {
    for (const { path, text } of files) {
      const assigned = /[\w)]\.#?\w+ (?:\?\?|\|\|)?= (?:async )?(?:\([^)]*\)|\w+) =>.*/.exec(text)
      assert.equal(assigned?.[0], undefined, `${path}: V8 keeps what it leads to; use a const`)
    }
  })

  it('tests every reason', () => {
    const reasons = files.filter(({ text }) => /= defineReason\(/.test(text))
    assert.ok(reasons.length >= 5)
    for (const { path } of reasons) {
      const name = path.replace(/^reasons\/|\.ts$/g, '')
      assert.ok(globSync(`test/reasons/${name}.test.ts`).length === 1, `${name} has no test`)
    }
  })

  it('imports no package that only others depend on', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
    const declared = Object.keys(manifest.dependencies)
    for (const { path, text } of files) {
      for (const [, name = ''] of text.matchAll(/from '((?:@[\w-]+\/)?[a-z][\w.-]*)[^':]*'/g)) {
        assert.ok(
          declared.includes(name),
          `${path} imports ${name}, which package.json does not name`,
        )
      }
    }
  })

  it('has a decision that names each dependency', () => {
    const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
    assert.ok(typeof manifest === 'object' && manifest !== null && 'dependencies' in manifest)
    const decisions = globSync('docs/decisions/*.md')
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n')
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      assert.ok(decisions.includes(`\`${name}\``), `no decision says what ${name} is for`)
    }
  })
})

function layerOf(folder: string): number {
  const index = layers.findIndex((layer) => layer.includes(folder))
  assert.notEqual(index, -1, `src/${folder} is in no layer`)
  return index
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
}
