/** What back ends write in their EHLO replies, and what is made of it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCapabilities, sizeMaxOf } from '../../src/relay/capabilities.ts'

const cases = [
  { line: 'PIPELINING', keyword: 'PIPELINING', rest: '', because: 'a keyword' },
  { line: 'size 1000', keyword: 'SIZE', rest: '1000', because: 'case does not count' },
  { line: 'XCLIENT  ADDR NAME', keyword: 'XCLIENT', rest: 'ADDR NAME', because: 'Exim' },
  { line: 'AUTH=LOGIN PLAIN', keyword: 'AUTH', rest: 'LOGIN PLAIN', because: 'the nineties' },
  { line: 'AUTH PLAIN ', keyword: 'AUTH', rest: 'PLAIN', because: 'a trailing space' },
]

describe('parseCapabilities', () => {
  for (const { line, keyword, rest, because } of cases) {
    it(`${JSON.stringify(line)}: ${because}`, () => {
      assert.deepEqual([...parseCapabilities([line])], [[keyword, rest]])
    })
  }

  it('takes the first of a keyword given twice, and leaves out what is none', () => {
    const lines = ['SIZE 1', 'SIZE 2', '', '*** Welcome ***']
    assert.deepEqual([...parseCapabilities(lines)], [['SIZE', '1']])
  })
})

describe('REQUIRETLS', () => {
  it('counts only from a server whose certificate is right', () => {
    assert.equal(parseCapabilities(['REQUIRETLS']).has('REQUIRETLS'), false)
    assert.equal(parseCapabilities(['REQUIRETLS'], true).has('REQUIRETLS'), true)
  })
})

describe('sizeMaxOf', () => {
  const sizes = [
    { said: 'SIZE 1000', max: 1_000 },
    { said: 'SIZE 0', max: Number.POSITIVE_INFINITY },
    { said: 'SIZE', max: Number.POSITIVE_INFINITY },
    { said: 'SIZE 0x10', max: Number.POSITIVE_INFINITY },
    { said: 'SIZE -1', max: Number.POSITIVE_INFINITY },
    { said: 'SIZE 99999999999999999999', max: Number.POSITIVE_INFINITY },
    { said: 'DSN', max: Number.POSITIVE_INFINITY },
  ]
  for (const { said, max } of sizes) {
    it(`${said}: ${max}`, () => assert.equal(sizeMaxOf(parseCapabilities([said])), max))
  }
})
