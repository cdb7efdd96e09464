/** How a connection ended, as its ledger tells. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Entry,
  type Ledger,
  noteRecipient,
  type Outcome,
  openLedger,
  outcomeOf,
  type Reaction,
  type Transaction,
} from '../../src/core/ledger.ts'

interface Case {
  readonly transactions?: readonly Transaction[]
  readonly reactions?: readonly Reaction[]
  readonly reason?: string
  readonly is: Outcome
  readonly because: string
}

const cases: readonly Case[] = [
  { is: 'nothing', because: 'nothing was tried' },
  { reactions: ['waited'], is: 'nothing', because: 'waiting is no outcome' },
  { transactions: [sent('250 ok', '250 ok')], is: 'accepted', because: 'the message was taken' },
  {
    transactions: [sent('250 ok', '550 no', '250 ok'), sent('550 no', '')],
    is: 'accepted',
    because: 'one message is enough',
  },
  {
    transactions: [sent('250 ok', '250 ok')],
    reactions: ['left'],
    is: 'accepted',
    because: 'a message that was taken counts for more than how it went away',
  },
  {
    transactions: [sent('250 ok', '250 ok')],
    reason: '421 4.3.2 shutting down',
    is: 'accepted',
    because: 'we ended it after the message',
  },
  { transactions: [sent('')], reactions: ['left'], is: 'left', because: 'it hung up in the wait' },
  { reactions: ['waited', 'left'], is: 'left', because: 'it hung up in a later wait' },
  {
    transactions: [sent('', '550 5.1.1 no')],
    reactions: ['left'],
    is: 'left',
    because: 'the refusal was not its last word',
  },
  {
    reactions: ['left'],
    reason: '421 4.3.2 shutting down',
    is: 'left',
    because: 'it went before we could say so',
  },
  { reactions: ['talked'], reason: '554 early', is: 'turned-away', because: 'it talked too early' },
  {
    reactions: ['released'],
    reason: '421 4.3.2 shutting down',
    is: 'turned-away',
    because: 'we ended it in the wait',
  },
  {
    transactions: [sent('', '550 5.1.1 no')],
    reason: '421 4.7.0 too many errors',
    is: 'turned-away',
    because: 'we ended it, whatever the back end had said',
  },
  { transactions: [sent('', '550 5.1.1 no')], is: 'refused', because: 'the recipient was refused' },
  { transactions: [sent('', '451 4.2.0 wait')], is: 'refused', because: 'later is not now' },
  { transactions: [sent('554 5.6.0 no', '250 ok')], is: 'refused', because: 'the message was' },
  { transactions: [sent('', '250 ok')], is: 'nothing', because: 'it gave up before DATA' },
  {
    transactions: [sent('', '250 ok', '550 5.1.1 no')],
    is: 'refused',
    because: 'one recipient was refused and nothing was sent to the other',
  },
  { transactions: [sent('')], is: 'nothing', because: 'it gave a sender and no recipient' },
]

describe('outcomeOf', () => {
  for (const { transactions = [], reactions = [], reason = '', is, because } of cases) {
    it(`${is}: ${because}`, () => {
      const ledger: Ledger = {
        ...opened(),
        transactions: [...transactions],
        entries: reactions.map(entry),
        reason,
      }
      assert.equal(outcomeOf(ledger), is)
    })
  }
})

describe('openLedger', () => {
  it('begins with what is known at the accept, and nothing else', () => {
    const { id, startedAt, client, port, outcome, entries, transactions, ...rest } = opened()
    assert.deepEqual(
      [id, startedAt, client, port],
      ['c1', '2026-11-22T11:07:23.000Z', '192.0.2.1', 4],
    )
    assert.deepEqual([outcome, entries, transactions], ['nothing', [], []])
    assert.deepEqual(
      { ...rest },
      {
        ...{ hostname: '', helo: '', protocol: '', login: '', reason: '', durationMs: 0 },
        ...{ findings: [], lookupCount: 0, notTakenCount: 0, addressHidden: false },
      },
    )
  })
})

describe('noteRecipient', () => {
  it('lists all that were taken, the first 1,000 that were not, and counts the others', () => {
    const ledger = opened()
    const transaction = sent('')
    ledger.transactions.push(transaction)
    for (let count = 0; count < 1_500; count += 1) {
      for (const reply of ['550 no', '250 ok']) {
        noteRecipient(ledger, transaction, { address: `${count}@example.net`, reply })
      }
    }
    const listed = (reply: string) =>
      transaction.recipients.filter((recipient) => recipient.reply === reply).length
    assert.deepEqual(
      [listed('250 ok'), listed('550 no'), ledger.notTakenCount],
      [1_500, 1_000, 1_500],
    )
  })
})

function opened(): Ledger {
  return openLedger('c1', new Date('2026-11-22T11:07:23Z'), '192.0.2.1', 4)
}

function sent(reply: string, ...replies: readonly string[]): Transaction {
  const recipients = replies.map((each, index) => ({ address: `${index}@c.example`, reply: each }))
  return { sender: 'a@b.example', recipients, bytes: 0, reply }
}

function entry(reaction: Reaction): Entry {
  const times = { targetMs: 97_000, lookupMs: 0, plannedMs: 97_000, waitedMs: 1_000 }
  return { stage: 'rcpt', reasons: [], excuses: [], ...times, reaction, observed: false }
}
