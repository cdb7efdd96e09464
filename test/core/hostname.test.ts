/** What may be called a host name. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseHostname } from '../../src/core/hostname.ts'

describe('parseHostname', () => {
  const label63 = 'x'.repeat(63)
  const name253 = `${`${label63}.`.repeat(3)}${'x'.repeat(61)}`
  const cases = [
    { text: 'Mail.Example.ORG', is: 'mail.example.org', because: 'case does not matter' },
    { text: 'mail.example.org.', is: 'mail.example.org', because: 'the final dot is the root' },
    { text: 'localhost', is: 'localhost', because: 'one label is a name' },
    { text: 'a_b._c.example', is: 'a_b._c.example', because: 'underscores are in daily use' },
    { text: '1-2-3.example', is: '1-2-3.example', because: 'a digit may come first (RFC 1123)' },
    { text: label63, is: label63, because: 'a label has up to 63' },
    { text: `${label63}x`, is: null, because: 'a label has no more than 63' },
    { text: name253, is: name253, because: 'a name has up to 253' },
    { text: `${name253}.`, is: name253, because: 'the final dot does not count' },
    { text: `${name253}x`, is: null, because: 'a name has no more than 253' },
    { text: '', is: null, because: 'it is empty' },
    { text: '.', is: null, because: 'the root is no host' },
    { text: 'a..b', is: null, because: 'a label is empty' },
    { text: '.a', is: null, because: 'the first label is empty' },
    { text: 'a..', is: null, because: 'only one final dot is allowed' },
    { text: '-a.b', is: null, because: 'a label does not begin with a hyphen' },
    { text: 'a-.b', is: null, because: 'nor end with one' },
    { text: 'a b', is: null, because: 'of the space' },
    { text: 'a\r\nX-Spam: no', is: null, because: 'of the line break' },
    { text: 'a\n', is: null, because: 'of the line break at the end' },
    { text: 'a\0b', is: null, because: 'of the NUL' },
    { text: 'bücher.example', is: null, because: 'DNS has it as xn--bcher-kva' },
    { text: '*.example', is: null, because: 'of the asterisk' },
    { text: '[192.0.2.1]', is: null, because: 'it is a literal' },
  ]
  for (const { text, is, because } of cases) {
    it(`${is === null ? 'refuses' : 'takes'} ${JSON.stringify(text.slice(0, 30))}: ${because}`, () => {
      assert.equal(parseHostname(text), is)
    })
  }

  it('is done with a long label at once', () => {
    assert.equal(parseHostname(`${'a-'.repeat(126)}!`), null)
  })
})
