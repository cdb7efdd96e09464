/** What follows from the first word of a line. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isHttp, isNotImplemented, mustBeLast, verbOf } from '../../src/smtp/verbs.ts'

describe('verbOf', () => {
  for (const [line, verb, because] of [
    ['EHLO a.example', 'EHLO', 'the first word'],
    ['data', 'DATA', 'case does not matter'],
    [' EHLO a.example', '', 'a space begins no command'],
    ['', '', 'there is none'],
    ['EHLO\ta.example', 'EHLO\tA.EXAMPLE', 'only a space separates'],
    ['x'.repeat(17), '', 'no verb is so long'],
  ] as const) {
    it(`${JSON.stringify(line)}: ${JSON.stringify(verb)}, because ${because}`, () => {
      assert.equal(verbOf(Buffer.from(line)), verb)
    })
  }
})

describe('verbs', () => {
  for (const [question, is, yes, no] of [
    ['must be last of a group', mustBeLast, 'EHLO HELO DATA VRFY NOOP STARTTLS', 'MAIL RCPT QUIT'],
    ['is known and not implemented', isNotImplemented, 'EXPN ETRN TURN ATRN BDAT', 'VRFY WIZ'],
    ['is HTTP', isHttp, 'GET POST CONNECT PRI', 'MAIL DATA'],
  ] as const) {
    it(`${question}: ${yes}, not ${no}`, () => {
      assert.deepEqual(
        yes.split(' ').map(is),
        yes.split(' ').map(() => true),
      )
      assert.deepEqual(
        no.split(' ').map(is),
        no.split(' ').map(() => false),
      )
    })
  }
})
