/** What strangers wrote, made fit to be seen. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeBytes, decodeUtf8, visible, visibleJson } from '../../src/core/text.ts'

describe('visible', () => {
  const cases = [
    { text: 'MarineGuy', is: 'MarineGuy', because: 'there is nothing to escape' },
    { text: 'für', is: 'für', because: 'letters of other languages can be seen' },
    { text: 'a\r\nb', is: 'a\\x0d\\x0ab', because: 'nobody starts a line of his own' },
    { text: 'a\tb\0', is: 'a\\x09b\\x00', because: 'these are control characters too' },
    { text: '\x1b[2J\x7f', is: '\\x1b[2J\\x7f', because: 'nobody talks to the terminal' },
    { text: '\x9b2J\x85', is: '\\x9b2J\\x85', because: 'the upper control characters do as well' },
    { text: 'a\u2028b', is: 'a\\x2028b', because: 'it is a line break to some' },
    { text: 'a\u202eb', is: 'a\\x202eb', because: 'it turns the rest of the line round' },
    { text: '', is: '', because: 'there is nothing' },
  ]
  for (const { text, is, because } of cases) {
    it(`${JSON.stringify(text)} becomes ${is}: ${because}`, () => {
      assert.equal(visible(text), is)
    })
  }

  it('keeps no more than it is told', () => {
    assert.equal(visible('abcdef', 6), 'abcdef')
    assert.equal(visible('abcdefg', 6), 'abcdef...')
    assert.equal(visible('x'.repeat(513)), `${'x'.repeat(512)}...`)
    assert.equal(visible('\n'.repeat(3), 2), '\\x0a\\x0a...')
  })

  it('leaves nothing that moves a cursor, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(visible(text), /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})

describe('visibleJson', () => {
  it('says the same in characters that can be seen', () => {
    const value = { helo: 'a\x9b\x85\u202e\u2028ü"\\\n' }
    const line = `${JSON.stringify(value)}\n`
    const escaped = visibleJson(line)
    assert.equal(escaped, '{"helo":"a\\u009b\\u0085\\u202e\\u2028ü\\"\\\\\\n"}\n')
    assert.deepEqual(JSON.parse(escaped), value)
  })
})

describe('decodeBytes', () => {
  const cases = [
    { bytes: [0x61, 0x62], is: 'ab', because: 'ASCII is ASCII' },
    { bytes: [0xc3, 0xbc], is: 'ü', because: 'it is UTF-8' },
    { bytes: [0xfc, 0x62], is: 'üb', because: 'it is not, so each byte is a character' },
    { bytes: [0xc3], is: 'Ã', because: 'it was cut short' },
    { bytes: [0xef, 0xbf, 0xbd], is: '\ufffd', because: 'it stands there, and for nothing else' },
    { bytes: [], is: '', because: 'there is nothing' },
  ]
  for (const { bytes, is, because } of cases) {
    it(`${JSON.stringify(bytes)} is ${JSON.stringify(is)}: ${because}`, () => {
      assert.equal(decodeBytes(Buffer.from(bytes)), is)
    })
  }
})

describe('decodeUtf8', () => {
  it('takes UTF-8, and makes of other bytes what fits nowhere', () => {
    assert.equal(decodeUtf8(Buffer.from('aü\ufffd')), 'aü\ufffd')
    assert.equal(decodeUtf8(Buffer.from([0x61, 0xfc, 0x62])), 'a\x80b')
  })
})
