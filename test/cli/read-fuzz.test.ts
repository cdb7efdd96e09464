/** No line that anybody can write ends a replay, or takes long. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { effort } from '../fuzz/effort.ts'
import { collect } from './collect.ts'

/** What the lines are made of that the readers look for. */
const pieces = fc.constantFrom(
  ...['2026-01-31 12:00:00 ', 'Jan  1 12:00:00 mx postfix/smtpd[1]: ', 'postfix/postscreen[2]: '],
  ...[
    '1ahr79-0006jK-G9 ',
    '<= ',
    '=> ',
    'H=',
    '(',
    ') ',
    '[192.0.2.1]',
    '[::1]',
    ':25 ',
    ' F=<',
    '>',
  ],
  ...['rejected RCPT <', 'Warning: ', 'connect from ', 'client=', 'NOQUEUE: reject: ', ' for a@b'],
  ...[
    '; from=<',
    ' to=<',
    ' helo=<',
    'PREGREET 1 after 1 from ',
    '"',
    '\\',
    ' ',
    '\t',
    'ip',
    'a@b',
  ],
  ...['SMTP connection from ', ' D=1s', 'no host name found for IP address ', ' input="', 'name'],
)
const line = fc
  .array(fc.oneof({ weight: 4, arbitrary: pieces }, fc.string({ maxLength: 8 })), { maxLength: 20 })
  .map((parts) => parts.join(''))

describe('the readers', () => {
  for (const format of ['tsv', 'exim', 'postfix'] as const) {
    it(`survive anything as ${format}`, () => {
      fc.assert(
        fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
          const { connections } = collect(format, lines)
          assert.ok(connections.length <= lines.length)
          for (const { ip } of connections) assert.notEqual(ip.text, '')
        }),
        effort(500),
      )
    })
  }

  for (const format of ['exim', 'postfix'] as const) {
    it(`take a line made to be slow in their stride as ${format}`, () => {
      const head =
        format === 'exim' ? '2026-01-31 12:00:00 ' : 'Jan  1 12:00:00 mx postfix/smtpd[1]: '
      const slow = ['H=(', 'H=a (', ' rejected "', ' from x[', '; from=<', ' for a@b'].map(
        (piece) => `${head}rejected ${piece.repeat(3_000)}`,
      )
      // Were the work to grow with the square of the length, the runner's time limit would tell.
      assert.equal(collect(format, slow).connections.length, 0)
    })
  }
})
