/** How much is too much, and what sets it back. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { Budget } from '../../src/smtp/budget.ts'
import { smtpLimits } from '../../src/smtp/limit-options.ts'

const limits = z.strictObject(smtpLimits).parse({
  commands_max: 8,
  junk_commands_max: 3,
  hellos_max: 2,
  errors_max: 2,
})

describe('Budget', () => {
  for (const { said, excess, because } of [
    { said: 'EHLO MAIL RCPT RCPT DATA MAIL RCPT DATA', excess: null, because: 'that is all' },
    { said: 'MAIL RCPT RCPT RCPT RCPT RCPT RCPT RCPT QUIT', excess: 'commands', because: 'nine' },
    { said: 'NOOP RSET', excess: null, because: 'two of three' },
    { said: 'NOOP RSET VRFY WIZ', excess: 'commands that move no mail', because: 'four of three' },
    { said: 'EHLO HELO', excess: null, because: 'two of two' },
    { said: 'EHLO HELO EHLO', excess: 'HELO', because: 'three of two' },
    { said: 'NOOP NOOP NOOP ok NOOP', excess: null, because: 'a message sets it back' },
    { said: 'EHLO EHLO ok EHLO EHLO', excess: null, because: 'a message sets it back' },
    {
      said: 'MAIL MAIL MAIL MAIL ok MAIL MAIL MAIL MAIL MAIL',
      excess: 'commands',
      because: 'all count',
    },
  ]) {
    it(`${said}: ${excess}, since ${because}`, () => {
      const budget = new Budget(limits)
      const excesses = said.split(' ').map((word) => {
        if (word !== 'ok') return budget.spend(word)
        budget.renew()
        return null
      })
      assert.equal(excesses.at(-1), excess)
      assert.deepEqual(
        excesses.slice(0, -1).filter((each) => each !== null),
        [],
      )
    })
  }

  it('counts replies that say the command was wrong, and no others', () => {
    const budget = new Budget(limits)
    assert.deepEqual(
      [250, 451, 550, 554, 555, 499, 501].map((code) => budget.answered(code)),
      [null, null, null, null, null, null, 'errors'],
    )
  })
})
