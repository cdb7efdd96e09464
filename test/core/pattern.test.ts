/** Patterns of operators: found anywhere, in any case, in linear time, or refused. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePattern } from '../../src/core/pattern.ts'

describe('parsePattern', () => {
  it('finds anywhere, in any case', () => {
    const { found } = parsePattern('dsl(-?up)?[0-9]+')
    assert.deepEqual(['xDSL7.example', 'dsl.example'].map(found), [true, false])
  })

  for (const source of ['(', '[a', '(?=x)', '(?<!x)y', '(a)\\1', 'x{99999}', '*']) {
    it(`refuses ${source}, and says which`, () => {
      assert.throws(
        () => parsePattern(source),
        (error) => error instanceof Error && error.message.includes(JSON.stringify(source)),
      )
    })
  }

  it('takes its time with nobody', () => {
    assert.equal(parsePattern('^(a|a)*(a|a)*$').found(`${'a'.repeat(5_000)}!`), false)
  })
})
