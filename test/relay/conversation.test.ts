/** One command, one reply; and nothing left behind, however it ends. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BackendLost } from '../../src/relay/failures.ts'
import type { Answer } from '../helpers/scripted-backend.ts'
import { converse, setUp, until } from './setups.ts'

const minute = 60_000

describe('Conversation', () => {
  it('says a line and gives the reply', async () => {
    await using at = await setUp({ replies: () => '250-2.0.0 a\r\n250 2.0.0 b' })
    const conversation = await converse(at)
    assert.deepEqual(await conversation.say('NOOP', minute), {
      code: 250,
      enhanced: '2.0.0',
      lines: ['a', 'b'],
    })
    // Nothing is owed, so nothing can be late.
    await at.clock.advance(2 * minute)
    assert.ok(!conversation.lost)
    conversation.destroy()
    assert.equal(at.clock.sleeping, 0)
  })

  it('counts the time for each reply anew, however long the last was waited for', async () => {
    await using at = await setUp({ replies: (line) => (line === 'NOOP' ? 'hang' : undefined) })
    const conversation = await converse(at)
    await conversation.say('RSET', 10 * minute)
    await at.clock.advance(minute)
    const refused = assert.rejects(conversation.say('NOOP', minute), /no reply for 60000 ms/)
    await at.server.heard(/NOOP/)
    await at.clock.advance(minute - 1)
    assert.ok(!conversation.lost)
    await at.clock.advance(1)
    await refused
  })

  const ends: readonly {
    readonly answer: Answer
    readonly why: RegExp
    readonly because: string
  }[] = [
    { answer: 'close', why: /closed the connection/, because: 'it hangs up' },
    { answer: 'reset', why: /ECONNRESET|closed/, because: 'it breaks off' },
    { answer: { breaksOffAfter: '250-ha' }, why: /closed/, because: 'it hangs up in mid-reply' },
    { answer: '250 ok\n', why: /malformed/, because: 'K7: LF alone' },
    { answer: '25', why: /malformed/, because: 'K7: two digits' },
    { answer: '2500 x', why: /malformed/, because: 'K7: four digits' },
    { answer: '250-a\r\n550 b', why: /malformed/, because: 'K7: two codes' },
    { answer: `250 ${'x'.repeat(1_048_576)}`, why: /too long/, because: 'K6: 1 MiB' },
    { answer: { forever: '250-more\r\n' }, why: /too many lines/, because: 'K6: no end' },
    { answer: { forever: 'x' }, why: /too long/, because: 'K6: no line end' },
  ]
  for (const { answer, why, because } of ends) {
    it(`ends when ${because}`, async () => {
      await using at = await setUp({ replies: (line) => (line === 'NOOP' ? answer : undefined) })
      const conversation = await converse(at)
      await assert.rejects(conversation.say('NOOP', minute), (error) => {
        assert.ok(error instanceof BackendLost)
        assert.match(error.message, why)
        return true
      })
      assert.ok(conversation.lost)
      await assert.rejects(conversation.say('NOOP', minute), BackendLost)
      assert.equal(at.clock.sleeping, 0)
      await at.server.closed()
    })
  }

  it('waits for a reply as long as it may, and not a moment longer', async () => {
    await using at = await setUp({ replies: (line) => (line === 'NOOP' ? 'hang' : undefined) })
    const conversation = await converse(at)
    const said = conversation.say('NOOP', minute)
    await at.server.heard(/NOOP/)
    await at.clock.advance(minute - 1)
    assert.ok(!conversation.lost)
    const refused = assert.rejects(said, /no reply for 60000 ms/)
    await at.clock.advance(1)
    await refused
    assert.equal(at.clock.sleeping, 0)
    await at.server.closed()
  })

  it('gives a whole reply one time limit, however it trickles in', async () => {
    await using at = await setUp({
      replies: (line) => (line === 'NOOP' ? '250-first' : undefined),
    })
    const conversation = await converse(at)
    const refused = assert.rejects(conversation.say('NOOP', minute), /no reply/)
    await at.server.heard(/NOOP/)
    await at.clock.advance(minute / 2)
    at.server.interject('250-second\r\n')
    await at.clock.advance(minute / 2)
    await refused
  })

  it('is lost once the back end has said something that nobody asked for', async () => {
    await using at = await setUp()
    const conversation = await converse(at)
    at.server.interject('421 4.4.2 idle for too long\r\n')
    await until(() => conversation.lost)
    await assert.rejects(conversation.say('NOOP', minute), /without being asked/)
    assert.deepEqual(at.server.transcript, ['EHLO mx.example.net'])
    await at.server.closed()
  })

  it('gives up a back end that does not stop talking', async () => {
    await using at = await setUp()
    const conversation = await converse(at)
    at.server.interject('250 x\r\n'.repeat(10))
    await at.server.closed()
    assert.ok(conversation.lost)
  })

  it('keeps the reply of a back end that hangs up after it', async () => {
    await using at = await setUp({
      replies: (line) => (line === 'NOOP' ? { breaksOffAfter: '550 go away\r\n' } : undefined),
    })
    const conversation = await converse(at)
    assert.equal((await conversation.say('NOOP', minute)).code, 550)
    await until(() => conversation.lost)
  })

  it('never says two commands at once', async () => {
    await using at = await setUp()
    const conversation = await converse(at)
    for (const line of ['NOOP\r\nQUIT', 'NOOP\nQUIT', 'NOOP\r', 'NO\0OP']) {
      await assert.rejects(conversation.say(line, minute), TypeError)
    }
    conversation.destroy()
    assert.deepEqual(at.server.transcript, ['EHLO mx.example.net'])
  })

  it('waits while the back end does not read, and gives it up in the end', async () => {
    await using at = await setUp({ stopsReading: true })
    const conversation = await converse(at)
    await conversation.say('DATA', minute)
    const full = fill(conversation)
    await at.clock.advance(minute)
    await full
    assert.ok(conversation.lost)
    assert.equal(at.clock.sleeping, 0)
    assert.equal(conversation.write(Buffer.from('x'), minute), undefined)
  })

  for (const end of ['quit', 'destroy'] as const) {
    it(`frees timers and whoever waits on ${end}`, async () => {
      await using at = await setUp({
        stopsReading: true,
        replies: (line) => (line === 'QUIT' ? 'hang' : undefined),
      })
      const conversation = await converse(at)
      await conversation.say('DATA', minute)
      const full = fill(conversation)
      const refused = assert.rejects(conversation.nextReply(minute), BackendLost)
      conversation[end]()
      await full
      await refused
      await at.clock.advance(5_000)
      assert.equal(at.clock.sleeping, 0)
    })
  }

  it('says QUIT, waits a little for the back end to hang up, and then does so itself', async () => {
    await using at = await setUp({ replies: (line) => (line === 'QUIT' ? 'hang' : undefined) })
    const conversation = await converse(at)
    conversation.quit()
    conversation.quit()
    conversation.destroy()
    await at.server.heard(/QUIT/)
    assert.equal(at.server.open, 1)
    assert.equal(at.clock.sleeping, 1)
    await at.clock.advance(5_000)
    await at.server.closed()
    assert.equal(at.clock.sleeping, 0)
  })

  it('frees its timer as soon as the back end has said goodbye', async () => {
    await using at = await setUp()
    const conversation = await converse(at)
    conversation.quit()
    await at.server.closed()
    await until(() => at.clock.sleeping === 0)
    assert.deepEqual(at.server.transcript.slice(-1), ['QUIT'])
  })

  it('learns anew what is offered when it greets again', async () => {
    await using at = await setUp({ ehlo: ['SIZE 1', 'DSN'] })
    const conversation = await converse(at)
    assert.equal(conversation.capabilities.get('SIZE'), '1')
    await conversation.greet('HELO', 'client.example.org', minute)
    assert.equal(conversation.capabilities.size, 0)
    await conversation.greet('EHLO', 'client.example.org', minute)
    assert.ok(conversation.capabilities.has('DSN'))
    conversation.destroy()
  })
})

/** Writes until nothing more goes. */
async function fill(conversation: {
  write(bytes: Buffer, limitMs: number): Promise<void> | undefined
}): Promise<void> {
  const block = Buffer.alloc(65_536, 'x')
  let full: Promise<void> | undefined
  for (let count = 0; count < 200; count += 1) full = conversation.write(block, minute) ?? full
  assert.ok(full, 'the back end has read it all')
  await full
}
