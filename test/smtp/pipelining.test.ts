/** Which commands have to be waited for, and whether one was not (RFC 2920 section 3.1). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tooSoonIn } from '../../src/smtp/pipelining.ts'

describe('tooSoonIn', () => {
  for (const [text, is, because] of [
    ['EHLO a.example\r\n', null, 'nothing follows'],
    ['MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n', null, 'that is a proper group'],
    ['EHLO a.example\r\nMAIL FROM:<a@b>\r\n', 'EHLO', 'what may be said depends on the answer'],
    ['helo a\r\nM', 'HELO', 'one byte is too soon'],
    ['RCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n', 'DATA', 'content before 354'],
    ['NOOP\nQUIT\n', 'NOOP', 'bare line ends, too'],
    ['STARTTLS\r\n\x16\x03', 'STARTTLS', 'TLS before the answer'],
    ['QUIT\r\nEHLO', null, 'nobody cares any more'],
    ['RSET\r\nMAIL FROM:<a@b>\r\n', null, 'RSET may stand anywhere'],
    ['DATABASE\r\nx', null, 'that is another command'],
    ['EHLO a', null, 'the line is not over'],
    ['', null, 'nothing was said'],
  ] as const) {
    it(`${JSON.stringify(text)}: ${is}, because ${because}`, () => {
      assert.equal(tooSoonIn(text), is)
    })
  }
})
