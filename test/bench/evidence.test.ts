/** The evidence: counts of a small table, and how Postfix reads its lists of patterns. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { evidence } from '../../bench/evidence.ts'
import { parsePatterns, rejects } from '../../bench/evidence-baselines.ts'

const head = 'label source ip rdns helo from_domain hop rdns_state env_domain'
const rows = [
  'spam trec07p 192.0.2.1 dsl-192-0-2-1.example.net friend x.example final name x.example',
  'spam trec07p 192.0.2.1 dsl-192-0-2-1.example.net friend x.example final name x.example',
  'spam trec07p 198.51.100.9 - mail.example.org x.example final none x.example',
  'spam trec07p 203.0.113.9 mail.example.com mail.example.com x.example final name x.example',
  'ham vger-hwmon 203.0.113.5 mail.google.com mail.google.com y.example list name y.example',
  'ham vger-hwmon 203.0.113.6 - mail.example.com y.example list unknown y.example',
]

describe('evidence', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'treacle-evidence-'))
    const lines = [head, ...rows].map((row) => row.split(' ').join('\t').replace('\t-\t', '\t\t'))
    writeFileSync(join(folder, 'rows.tsv'), `${lines.join('\n')}\n`)
    writeFileSync(join(folder, 'list.pcre'), '/dsl/ REJECT no\n')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('counts clients and connections, of each reason, policy and baseline', async () => {
    const report = await evidence(join(folder, 'rows.tsv'), join(folder, 'list.pcre'))
    const lines = report.split('\n')
    assert.deepEqual(
      lines.filter((line) => line.startsWith('| spam: trec07p spam |')),
      [
        '| spam: trec07p spam | 3 | 66.67 | 33.33 | 33.33 | 66.67 | 33.33 |',
        '| spam: trec07p spam | 4 | 75.00 | 50.00 | 50.00 | 75.00 | 50.00 |',
      ],
    )
    assert.ok(
      lines.includes('| honest: lists since 2019 | 2 | 0.00 | 0.00 | 0.00 | 50.00 | 0.00 |'),
    )
    assert.ok(lines.includes('| Google | 1 | 0 |'))
    assert.match(report, /\| botnet-nordns \| 33\.33 \|/)
  })

  it('has nothing of a row in it', async () => {
    const report = await evidence(join(folder, 'rows.tsv'), join(folder, 'list.pcre'))
    assert.doesNotMatch(report, /\d+\.\d+\.\d+\.\d+|example/)
  })
})

describe('a Postfix table of patterns', () => {
  const table = parsePatterns(
    [
      '# a comment',
      '/^mail\\./ DUNNO',
      'if /dsl|dyn/',
      '/\\.example\\.net$/ REJECT no',
      'if !/static/',
      '/\\.example\\.com$/ reject no',
      'endif',
      'endif',
      '/dial/i REJECT with the case',
      'no pattern',
    ].join('\n'),
  )
  const cases = [
    ['mail.dsl.example.net', false, 'the first line that matches decides'],
    ['x.dsl.example.net', true, 'inside a block'],
    ['x.DSL.example.net', true, 'in any case'],
    ['x.example.net', false, 'outside of it'],
    ['x.dyn.example.com', true, 'two blocks deep'],
    ['static.dyn.example.com', false, 'a block may be negative'],
    ['dial.example.org', true, 'after the blocks'],
    ['DIAL.example.org', false, 'the flag i is a switch'],
  ] as const
  for (const [name, is, because] of cases) {
    it(`${is ? 'rejects' : 'passes'} ${name}: ${because}`, () => {
      assert.equal(rejects(table, name), is)
    })
  }
})
