/** No text, however wrong, does more harm than a ConfigError. fast-check prints the seed. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { effort } from '../fuzz/effort.ts'
import { complaints, problemsOf } from './complaints.ts'

describe('parseConfig, whatever it is given', () => {
  const name = fc.oneof(
    fc.constantFrom('part', 'slots', 'lists', 'pbl', 'ways', 'kind', 'reasons', '"no ptr"', 'a-b'),
    fc.string().map((text) => JSON.stringify(text)),
  )
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(
        '1',
        '-2.5',
        'true',
        '"60s"',
        '"""\n[x]\n"""',
        "'''#'''",
        '1979-05-27',
        'nan',
      ),
      fc.string().map((text) => JSON.stringify(text)),
      fc.array(tie('value')).map((items) => `[ # ]\n${items.join(',\n')}]`),
      fc.tuple(name, tie('value')).map(([key, inner]) => `{ ${key} = ${inner} }`),
    ),
  }))
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((keys) => keys.join('.'))
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(path, value).map(([key, inner]) => `${key} = ${inner}`) },
    { weight: 2, arbitrary: path.map((key) => `[${key}]`) },
    { weight: 1, arbitrary: path.map((key) => `[[${key}]]`) },
    { weight: 1, arbitrary: fc.string() },
  )
  const text = fc.oneof(
    fc.array(line).map((lines) => lines.join('\n')),
    fc.string(),
  )

  it('throws nothing but a ConfigError that names lines of the file', () => {
    fc.assert(
      fc.property(text, (toml) => {
        const linesCount = toml.split('\n').length
        for (const { where } of problemsOf(toml)) {
          const line = Number(/^t:(\d+)$/.exec(where)?.[1])
          assert.ok(line >= 1 && line <= linesCount, where)
        }
      }),
      effort(2_000),
    )
  })

  it('bears nesting without end', () => {
    assert.equal(complaints(`a = ${'['.repeat(20_000)}`).length, 1)
    assert.equal(complaints(`a${'.a'.repeat(20_000)} = 1979-05-27`).length, 1)
    assert.equal(complaints(`[a${'.a'.repeat(20_000)}]`).length, 1)
  })
})
