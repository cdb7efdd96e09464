/** Replies, and what of them reaches the wire. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isPositive, type Reply, reply, replyText, wireForm } from '../../src/core/reply.ts'

const one = reply(550, '5.1.1', 'no such user')
const bare: Reply = { code: 220, enhanced: '', lines: ['mx.example ESMTP'] }
const two: Reply = { code: 550, enhanced: '5.7.1', lines: ['first', 'second'] }

describe('replyText', () => {
  it('is one line for logs', () => {
    assert.equal(replyText(one), '550 5.1.1 no such user')
    assert.equal(replyText(bare), '220 mx.example ESMTP')
    assert.equal(replyText(two), '550 5.7.1 first / second')
    assert.equal(replyText(reply(354, '', '')), '354')
  })
})

describe('wireForm', () => {
  const cases = [
    { of: one, is: '550 5.1.1 no such user\r\n', because: 'one line has a space' },
    { of: bare, is: '220 mx.example ESMTP\r\n', because: 'there may be no enhanced code' },
    {
      of: two,
      is: '550-5.7.1 first\r\n550 5.7.1 second\r\n',
      because: 'RFC 2034 section 4 wants the code in each line, RFC 5321 section 4.2.1 the hyphen',
    },
    { of: reply(354, '', ''), is: '354 \r\n', because: 'an empty text is a text' },
    {
      of: reply(550, '5.1.1', 'no\r\n250 yes\0\x1b\x7f'),
      is: '550 5.1.1 no  250 yes   \r\n',
      because: 'a line break would make two replies of one',
    },
    {
      of: reply(550, '5.1.1', 'kein Briefkasten für Sie'),
      is: '550 5.1.1 kein Briefkasten für Sie\r\n',
      because: 'other characters are left alone',
    },
  ]
  for (const { of, is, because } of cases) {
    it(`${JSON.stringify(is)}: ${because}`, () => {
      assert.equal(wireForm(of), is)
    })
  }

  it('is one reply whatever the lines hold', () => {
    const lines = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(lines, (texts) => {
        const wire = wireForm({ code: 451, enhanced: '4.3.0', lines: texts })
        assert.match(wire, /^451-4\.3\.0 [^\r\n]*\r\n451 4\.3\.0 [^\r\n]*\r\n$/)
      }),
    )
  })
})

describe('the rest of a reply', () => {
  it('is positive from 200 to 299', () => {
    const codes = [199, 200, 250, 299, 300, 354, 421, 550]
    const positive = codes.filter((code) => isPositive(reply(code, '', '')))
    assert.deepEqual(positive, [200, 250, 299])
  })

  it('has its enhanced code in front of each line', () => {
    assert.equal(wireForm(two), '550-5.7.1 first\r\n550 5.7.1 second\r\n')
    assert.equal(wireForm(bare), '220 mx.example ESMTP\r\n')
  })
})
