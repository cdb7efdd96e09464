/** The generated texts: true to the schema, and as an operator sees them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { variables } from '../../src/config/environment.ts'
import { parseConfig } from '../../src/config/load.ts'
import { manualOf, tomlOf } from '../../src/config/manual.ts'
import { duration } from '../../src/core/duration.ts'
import { sample } from './sample.ts'

const toml = tomlOf(sample)
const setting = /^#(?=[\w"'])/
const example = /^#: /

describe('tomlOf', () => {
  const standard = parseConfig(sample, '', 't')

  it('means the same as an empty file, with and without its marks of comment', () => {
    const open = toml.split('\n').map((line) => line.replace(setting, ''))
    assert.ok(open.includes('slots = 2000'))
    assert.deepEqual(parseConfig(sample, toml, 't'), standard)
    assert.deepEqual(parseConfig(sample, open.join('\n'), 't'), standard)
  })

  it('means the same with any one setting opened', () => {
    const lines = toml.split('\n')
    for (const [index, line] of lines.entries()) {
      const text = lines.with(index, line.replace(setting, '')).join('\n')
      assert.deepEqual(parseConfig(sample, text, 't'), standard, line)
    }
  })

  it('has examples that are valid, and change what the file means', () => {
    const open = toml.split('\n').map((line) => line.replace(example, ''))
    const config = parseConfig(sample, open.join('\n'), 't')
    assert.equal(config.name, 'mx.example.org')
    assert.deepEqual(config.lists, {
      pbl: { zone: 'pbl.spamhaus.org', codes: ['127.0.0.2'], weight: 0.5 },
    })
  })

  it('looks like this', () => {
    const small = z.strictObject({
      name: z.string().optional().describe('Our host name.'),
      delay: z
        .strictObject({
          longest: duration('60s').describe('Longest wait. '.repeat(8).trim()),
          slots: z.int().min(0).max(10).default(5).describe('Clients kept waiting at once.'),
          quiet: z.boolean().default(false),
        })
        .prefault({})
        .describe('How long clients wait.'),
    })
    const [, ...blocks] = tomlOf(small).split('\n\n')
    assert.equal(
      blocks.join('\n\n'),
      `\
# Our host name.
# No default.
#: name = "..."


# How long clients wait.
[delay]

# Longest wait. Longest wait. Longest wait. Longest wait. Longest wait. Longest wait. Longest wait.
# Longest wait.
# Expects a length of time.
#longest = "60s"

# Clients kept waiting at once.
# Expects a whole number from 0 to 10.
#slots = 5

#quiet = false
`,
    )
  })

  it('keeps prose within 100 columns', () => {
    for (const line of toml.split('\n')) assert.ok(line.length <= 100 || setting.test(line), line)
  })

  it('refuses a default in the inner form, which no file could say', () => {
    const wrong = z.strictObject({ range: z.tuple([duration('1s')]).default([1_000]) })
    assert.throws(() => tomlOf(wrong), /range: a default for what a transform makes; use prefault/)
  })
})

describe('manualOf', () => {
  const manual = manualOf(sample, variables)

  it('says of each setting what it expects and what it is by default', () => {
    for (const entry of [
      '- **`wait`**: a length of time such as "90s", "4m30s" or "500ms". Default: `"60s"`.\n' +
        '  Longest wait before one reply.',
      '- **`slots`**: a whole number from 0 to 100000. Default: `2000`.\n' +
        '  Clients kept waiting at once.',
      '- **`mode`**: one of "delay", "observe", "off". Default: `"delay"`.',
      '- **`pause`**: "auto" or a whole number of at least 1. Default: `"auto"`.',
      '- **`most`**: a size such as "25MB", "64KB" or "1000B". Default: `"25MB"`.',
      "- **`pattern`**: a regular expression. Default: `'^\\d+\\.dsl$'`.",
      '- **`name`**: text. No default. Example: `"mx.example.org"`.\n  Our host name.',
    ]) {
      assert.ok(manual.includes(`\n\n${entry}\n\n`), entry)
    }
  })

  it('has a section for each table, and one for the environment', () => {
    const heads = manual.split('\n').filter((line) => line.startsWith('## '))
    assert.deepEqual(heads, [
      '## Above all tables',
      '## `[backend]`',
      '## `[listen]`',
      '## `[part]`',
      '## `[reasons]`',
      '## `[reasons.sorbs-dul]`',
      '## `[reasons."no ptr"]`',
      '## `[lists.pbl]`',
      '## `[admin]`',
      '## Environment',
    ])
    for (const { variable } of variables) assert.ok(manual.includes(`\`${variable}\``))
  })

  it('keeps what looks like markup as text', () => {
    const schema = z.strictObject({ a: z.int().default(1).describe('MAIL FROM:<> and `<b>` *') })
    assert.ok(manualOf(schema, []).includes('  MAIL FROM:\\<> and `<b>` \\*\n'))
  })

  it('keeps within 100 columns and is the same each time', () => {
    for (const line of manual.split('\n')) assert.ok(line.length <= 100, line)
    assert.equal(manualOf(sample, variables), manual)
  })
})
