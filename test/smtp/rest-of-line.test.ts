/** The end of a line that is too long: found in whatever pieces, and not looked for forever (catalogue J2). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RestOfLine } from '../../src/smtp/rest-of-line.ts'

const countMax = 5

const cases = [
  { input: 'abc\r\nNOOP\r\n', rest: 'NOOP\r\n', hasEnded: true, because: 'it ends here' },
  { input: '\nNOOP', rest: 'NOOP', hasEnded: true, because: 'nothing was left of it' },
  { input: 'abcd\r\n', rest: '', hasEnded: true, because: 'as long as may be' },
  { input: 'abcde', rest: null, hasEnded: null, because: 'the LF may come' },
  { input: 'abcde\r\n', hasEnded: false, because: 'one more is too long' },
  { input: 'abcdef', hasEnded: false, because: 'even unfinished' },
]

describe('RestOfLine', () => {
  for (const { input, rest, hasEnded, because } of cases) {
    it(`${JSON.stringify(input)}: ${because}, however it is cut`, () => {
      for (let cut = 0; cut <= input.length; cut += 1) {
        const outcome = feed([input.slice(0, cut), input.slice(cut)])
        assert.equal(outcome.hasEnded, hasEnded, `at ${cut}`)
        if (rest !== undefined) assert.equal(outcome.rest, rest, `at ${cut}`)
      }
    })
  }
})

function feed(pieces: readonly string[]) {
  let hasEnded: boolean | null = null
  let rest: string | null = null
  const line = new RestOfLine(countMax, (ended) => {
    hasEnded = ended
  })
  for (const piece of pieces) {
    if (rest !== null) rest += piece
    else {
      rest = line.push(Buffer.from(piece)).rest?.toString() ?? null
      if (rest !== null) line.end(() => {})
    }
  }
  return { hasEnded, rest }
}
