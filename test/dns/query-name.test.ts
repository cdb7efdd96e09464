/** Names that may be asked for, and those that may not. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pointerNames, queryName } from '../../src/dns/query-name.ts'

describe('queryName', () => {
  const longest = `${'x'.repeat(63)}.`.repeat(3) + 'x'.repeat(61)
  const cases: Readonly<Record<string, string | null>> = {
    'mail.example.org': 'mail.example.org',
    'MAIL.Example.ORG.': 'mail.example.org',
    localhost: 'localhost',
    '_dmarc.example.org': '_dmarc.example.org',
    '1.2.0.192.zone.1': '1.2.0.192.zone.1',
    'bücher.example': 'xn--bcher-kva.example',
    [longest]: longest,
    [`${longest}.`]: longest,
    [`${longest}x`]: null,
    [`${'x'.repeat(64)}.example`]: null,
    [`${'ü'.repeat(60)}.example`]: null,
    '': null,
    '.': null,
    '..': null,
    '.example': null,
    'a..example': null,
    'a b.example': null,
    'a\0.example': null,
    'a\r\n.example': null,
    'ü\r\n.example': null,
    'ü/x.example': null,
    'ü%41.example': null,
    '*.example': null,
    'a\\.b.example': null,
    '[192.0.2.1]': null,
    '2001:db8::1': null,
  }
  for (const [text, name] of Object.entries(cases)) {
    it(`${JSON.stringify(text.slice(0, 40))} becomes ${name?.slice(0, 40) ?? 'no query'}`, () => {
      assert.equal(queryName(text), name)
    })
  }
})

describe('pointerNames', () => {
  const cases = [
    { raw: ['B.example', 'a.example'], names: ['b.example', 'a.example'], because: 'as they come' },
    { raw: ['a.example.', 'A.example'], names: ['a.example'], because: 'each once' },
    { raw: ['a\\032b.example', ''], names: [], because: 'neither is a host name' },
    { raw: [...'jihgfedcba'], names: [...'abcdefgh'], because: 'eight are enough' },
  ]
  for (const { raw, names, because } of cases) {
    it(`keeps ${names.length} of ${raw.length}: ${because}`, () => {
      assert.deepEqual(pointerNames(raw), names)
    })
  }
})
