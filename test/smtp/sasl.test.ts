/** AUTH PLAIN and LOGIN as clients say them, rightly and wrongly (catalogue J2). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { replyText } from '../../src/core/reply.ts'
import { exchange } from '../../src/smtp/sasl.ts'

const plain = (text: string) => Buffer.from(text).toString('base64')
const alice = { user: 'alice', password: 'secret' }

const cases: readonly {
  readonly says: readonly string[]
  /** What comes of it, after the questions. */
  readonly gives: typeof alice | RegExp
  readonly asked?: readonly string[]
  readonly because: string
}[] = [
  { says: [`AUTH PLAIN ${plain('\0alice\0secret')}`], gives: alice, because: 'all at once' },
  { says: [`auth plain ${plain('\0alice\0secret')} `], gives: alice, because: 'in any case' },
  {
    says: ['AUTH PLAIN', plain('\0alice\0secret')],
    gives: alice,
    asked: ['334'],
    because: 'when asked',
  },
  {
    says: ['AUTH LOGIN', plain('alice'), plain('secret')],
    gives: alice,
    asked: ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6'],
    because: 'what draft-murchison-sasl-login has',
  },
  {
    says: [`AUTH LOGIN ${plain('alice')}`, plain('secret')],
    gives: alice,
    asked: ['334 UGFzc3dvcmQ6'],
    because: 'the user at once',
  },
  {
    says: [`AUTH PLAIN ${plain('alice\0alice\0secret')}`],
    gives: alice,
    because: 'twice the same',
  },
  { says: [`AUTH PLAIN ${plain('alice\0\0secret')}`], gives: alice, because: 'the other field' },
  { says: ['AUTH PLAIN ='], gives: /^501 /, because: 'nothing is no password' },
  {
    says: [`AUTH PLAIN ${plain('root\0alice\0secret')}`],
    gives: /^535 5\.7\.8 /,
    because: 'nobody acts for somebody else',
  },
  { says: ['AUTH'], gives: /^501 /, because: 'no mechanism' },
  { says: ['AUTH CRAM-MD5'], gives: /^504 /, because: 'the back end could not be asked' },
  { says: ['AUTH __proto__'], gives: /^504 /, because: 'an object has it' },
  { says: ['AUTH PLAIN a b'], gives: /^501 /, because: 'one argument too many' },
  { says: ['AUTH PLAIN AGFsaWNl*AHNlY3JldA=='], gives: /^501 /, because: 'J2: no base64' },
  { says: ['AUTH PLAIN AGFsaWNlAHNlY3JldA'], gives: /^501 /, because: 'J2: without its end' },
  { says: ['AUTH PLAIN !!!'], gives: /^501 /, because: 'J2: no base64 at all' },
  {
    says: ['AUTH LOGIN', 'not base64'],
    gives: /^501 /,
    asked: ['334 VXNlcm5hbWU6'],
    because: 'J2',
  },
  { says: ['AUTH PLAIN', '*'], gives: /^501 5\.7\.0 /, asked: ['334'], because: 'it gives up' },
  { says: ['AUTH LOGIN', plain('a'), '*'], gives: /^501 5\.7\.0 /, because: 'it gives up' },
  { says: [`AUTH PLAIN ${plain('alice\0secret')}`], gives: /^501 /, because: 'two fields' },
  { says: [`AUTH PLAIN ${plain('\0a\0b\0c')}`], gives: /^501 /, because: 'four fields' },
  { says: [`AUTH PLAIN ${plain('\0a\r\nb\0c')}`], gives: /^501 /, because: 'a line break' },
  { says: [`AUTH PLAIN ${plain('\0a\u0085b\0c')}`], gives: /^501 /, because: 'a C1 control' },
  { says: ['AUTH LOGIN', plain('a'), plain('b\0c')], gives: /^501 /, because: 'a NUL of its own' },
  { says: ['AUTH PLAIN AP+/AGE='], gives: /^501 /, because: 'no UTF-8 (RFC 4616 section 2)' },
  { says: ['AUTH LOGIN', '=', plain('x')], gives: /^501 /, because: 'no user' },
  {
    says: [`AUTH PLAIN ${plain(`\0${'x'.repeat(2_000)}\0c`)}`],
    gives: /^501 /,
    because: 'a name of 2,000 characters',
  },
]

describe('exchange', () => {
  for (const { says, gives, asked, because } of cases) {
    const shown = says.join(' / ').slice(0, 60)
    it(`${shown}: ${because}`, () => {
      const { questions, outcome } = talk(says)
      if (asked !== undefined) assert.deepEqual(questions, asked)
      if (!(gives instanceof RegExp)) return assert.deepEqual(outcome, gives)
      assert.ok('code' in outcome)
      assert.match(replyText(outcome), gives)
    })
  }
})

function talk([first = '', ...lines]: readonly string[]) {
  const going = exchange(first)
  let step = going.next('')
  const questions: string[] = []
  for (const line of lines) {
    if (step.done) break
    questions.push(replyText(step.value))
    step = going.next(line)
  }
  assert.ok(step.done, 'it wants to know more')
  return { questions, outcome: step.value }
}
