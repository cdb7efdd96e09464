/** Addresses taken apart, and xtext there and back. fast-check prints the seed. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromXtext, splitAddress, toXtext } from '../../src/core/envelope.ts'

describe('splitAddress', () => {
  const cases = [
    { address: 'a@b.example', local: 'a', domain: 'b.example' },
    { address: 'A.b@B.Example', local: 'A.b', domain: 'b.example' },
    { address: '"a@b"@c.example', local: '"a@b"', domain: 'c.example' },
    { address: 'postmaster', local: 'postmaster', domain: '' },
    { address: 'a@[192.0.2.1]', local: 'a', domain: '[192.0.2.1]' },
    { address: '@b.example', local: '', domain: 'b.example' },
    { address: 'a@', local: 'a', domain: '' },
    { address: '', local: '', domain: '' },
  ]
  for (const { address, local, domain } of cases) {
    it(`${JSON.stringify(address)} is ${JSON.stringify(local)} at ${JSON.stringify(domain)}`, () => {
      assert.deepEqual(splitAddress(address), { local, domain })
    })
  }
})

describe('xtext', () => {
  const cases = [
    { text: 'QQ314159', xtext: 'QQ314159' },
    { text: 'a+b=c@d', xtext: 'a+2Bb+3Dc@d' },
    { text: 'a b', xtext: 'a+20b' },
    { text: '!~', xtext: '!~' },
    { text: 'ü', xtext: '+C3+BC' },
    { text: '', xtext: '' },
  ]
  for (const { text, xtext } of cases) {
    it(`${JSON.stringify(text)} is ${JSON.stringify(xtext)}, and back`, () => {
      assert.equal(toXtext(text), xtext)
      assert.equal(fromXtext(xtext), text)
    })
  }

  it('reads characters that need not have been encoded', () => {
    assert.equal(fromXtext('+41+2E+42'), 'A.B')
  })

  const malformed = [
    { xtext: 'a=b', because: '= must be encoded' },
    { xtext: 'a b', because: 'space must be encoded' },
    { xtext: 'a+2', because: 'two digits follow +' },
    { xtext: 'a+', because: 'two digits follow +' },
    { xtext: 'a+2b', because: 'RFC 3461 section 4 wants upper case' },
    { xtext: 'a+GG', because: 'those are no digits' },
    { xtext: 'ü', because: 'it is not ASCII' },
    { xtext: 'a\n', because: 'of the line break' },
    { xtext: 'a+0D+0Ab', because: 'it hides a line break' },
    { xtext: 'a+00', because: 'it hides a NUL' },
    { xtext: 'a+7F', because: 'it hides a DEL' },
    { xtext: 'a+FF', because: 'it is no UTF-8, so the back end would not get what was sent' },
    { xtext: 'a+C3', because: 'its UTF-8 is cut short' },
  ]
  for (const { xtext, because } of malformed) {
    it(`refuses ${JSON.stringify(xtext)}: ${because}`, () => {
      assert.equal(fromXtext(xtext), null)
    })
  }

  it('brings every text without control characters back', () => {
    const text = fc.string({ unit: 'binary' }).filter((each) => !/\p{Cc}|\p{Cs}/u.test(each))
    fc.assert(
      fc.property(text, (each) => {
        const xtext = toXtext(each)
        assert.match(xtext, /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/)
        assert.equal(fromXtext(xtext), each)
      }),
      { numRuns: 2_000 },
    )
  })

  it('never hands a control character on, and changes nothing but the spelling', () => {
    const pieces = fc.constantFrom(
      '+',
      '=',
      'a',
      '0',
      '2B',
      '+2B',
      '+0A',
      '+C3+BC',
      '+E2',
      ' ',
      'F',
    )
    fc.assert(
      fc.property(fc.array(pieces), (given) => {
        const text = fromXtext(given.join(''))
        if (text === null) return
        assert.doesNotMatch(text, /[\p{Cc}\ufffd]/u)
        assert.equal(fromXtext(toXtext(text)), text)
      }),
      { numRuns: 2_000 },
    )
  })
})
