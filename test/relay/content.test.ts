/** A message on its way: passed on as it came, or broken off before its end. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { replyText } from '../../src/core/reply.ts'
import { Content } from '../../src/relay/content.ts'
import type { Conversation } from '../../src/relay/conversation.ts'
import type { Answer, BackendScript } from '../helpers/scripted-backend.ts'
import { converse, type Setup, setUp, until } from './setups.ts'

const minute = 60_000
const limits = { sizeMax: 1_000, receivedMax: 3, headerMax: 1_000 }

describe('Content', () => {
  it('goes on as it came, stuffed dots included, below our own lines', async () => {
    await using at = await start()
    at.content.prepend('Received: from here\r\n')
    for (const piece of [
      'X-Treacle-A: forged\r\nSub',
      'ject: x\r\n\r\n..',
      '\r\n.test\r\n',
      'é\r\n',
    ]) {
      void at.content.write(Buffer.from(piece))
    }
    assert.equal(replyText(await at.content.finish()), '250 2.0.0 Queued')
    assert.equal(
      at.server.messages[0]?.toString(),
      'Received: from here\r\nSubject: x\r\n\r\n..\r\n.test\r\né\r\n',
    )
    at.conversation.destroy()
    assert.equal(at.clock.sleeping, 0)
  })

  it('may be empty, or nothing but forged', async () => {
    for (const piece of ['', 'X-HELO-warning: x\r\n']) {
      await using at = await start()
      void at.content.write(Buffer.from(piece))
      assert.equal(replyText(await at.content.finish()), '250 2.0.0 Queued')
      assert.equal(at.server.messages[0]?.length, 0)
    }
  })

  const refusals = [
    { message: 'x'.repeat(1_001), reply: /^552 5\.3\.4 /, because: 'G4: it is too large' },
    {
      message: 'Received: x\r\n'.repeat(4),
      reply: /^554 5\.4\.6 /,
      because: 'G5: it is in a loop',
    },
  ]
  for (const { message, reply, because } of refusals) {
    it(`is broken off in mid-stream: ${because}`, async () => {
      await using at = await start()
      for (const byte of message) void at.content.write(Buffer.from(byte))
      await at.server.closed()
      void at.content.write(Buffer.from('and more\r\n'))
      assert.match(replyText(await at.content.finish()), reply)
      assert.equal(at.server.messages.length, 0)
      assert.ok(!at.server.transcript.includes('QUIT'))
      assert.equal(at.clock.sleeping, 0)
    })
  }

  const atTheLimit = ['x'.repeat(998), '\r\n']
  it('may be as large as it may be', async () => {
    await using at = await start()
    for (const piece of atTheLimit) void at.content.write(Buffer.from(piece))
    assert.match(replyText(await at.content.finish()), /^250 /)
    assert.equal(at.content.byteCount, 1_000)
  })

  it('keeps the first reason to refuse it', async () => {
    await using at = await start()
    at.content.refuse({ code: 550, enhanced: '5.5.2', lines: ['first'] })
    at.content.refuse({ code: 554, enhanced: '5.0.0', lines: ['second'] })
    assert.equal(replyText(await at.content.finish()), '550 5.5.2 first')
    await at.server.closed()
    assert.equal(at.server.messages.length, 0)
  })

  const finals: readonly {
    readonly answer: Answer
    readonly heard: RegExp
    readonly lost: boolean
    readonly because: string
  }[] = [
    { answer: '554 5.7.1 spam', heard: /^554 5\.7\.1 spam$/, lost: false, because: 'a refusal' },
    { answer: '452 4.3.1 full', heard: /^452 4\.3\.1 full$/, lost: false, because: 'not now' },
    { answer: '421 4.3.2 bye', heard: /^421 4\.3\.2 bye$/, lost: true, because: 'it is leaving' },
    { answer: '354 more', heard: /^451 4\.4\.2 /, lost: true, because: 'that is no answer' },
    { answer: 'close', heard: /^451 4\.4\.2 /, lost: true, because: 'K3: it hung up' },
    { answer: 'reset', heard: /^451 4\.4\.2 /, lost: true, because: 'K3: it broke off' },
    { answer: '25', heard: /^451 4\.4\.2 /, lost: true, because: 'K7: nonsense' },
    { answer: '250 ok\r\nnonsense', heard: /^250 ok$/, lost: true, because: 'it said yes first' },
  ]
  for (const { answer, heard, lost, because } of finals) {
    it(`ends with ${heard} after ${JSON.stringify(answer)}: ${because}`, async () => {
      await using at = await start({ replies: (line) => (line === '.' ? answer : undefined) })
      void at.content.write(Buffer.from('x\r\n'))
      assert.match(replyText(await at.content.finish()), heard)
      assert.equal(at.conversation.lost, lost)
      at.conversation.destroy()
      assert.equal(at.clock.sleeping, 0)
    })
  }

  it('waits ten minutes for the final reply, and no longer (K4)', async () => {
    await using at = await start({ replies: (line) => (line === '.' ? 'hang' : undefined) })
    void at.content.write(Buffer.from('x\r\n'))
    let heard = ''
    const finished = at.content.finish().then((reply) => {
      heard = replyText(reply)
    })
    await until(() => at.server.messages.length === 1)
    await at.clock.advance(10 * minute - 1)
    assert.equal(heard, '')
    await at.clock.advance(1)
    await finished
    assert.match(heard, /^451 4\.4\.2 /)
    assert.equal(at.clock.sleeping, 0)
  })

  const early = [
    { says: '550 5.7.1 not from you', heard: '550 5.7.1 not from you', because: 'K10' },
    { says: '452 4.3.1 full', heard: '452 4.3.1 full', because: 'K10' },
    {
      says: '250 2.0.0 Queued',
      heard: '451 4.4.2 The mail server behind us went away; try again later',
      because: 'what it accepted was not this message',
    },
  ]
  for (const { says, heard, because } of early) {
    it(`has its answer before its end: ${says}: ${because}`, async () => {
      await using at = await start({
        replies: (line) => (line === 'DATA' ? `354 go\r\n${says}` : undefined),
      })
      await until(() => at.conversation.answeredEarly)
      assert.equal(at.content.write(Buffer.from('x\r\n')), undefined)
      assert.equal(replyText(await at.content.finish()), heard)
      assert.ok(at.conversation.lost, 'it may still be reading: nothing may be said to it')
      await at.server.closed()
      assert.equal(at.server.messages.length, 0)
    })
  }

  it('may have a header as long as the limit, however it comes, and a longer text', async () => {
    const header = `${'A: b\r\n'.repeat(83)}\r\n`
    assert.equal(header.length, 500)
    for (const size of [1, 7, 900]) {
      await using at = await start({}, { ...limits, headerMax: 500 })
      const content = `${header}${'text\r\n'.repeat(66)}`
      for (let from = 0; from < content.length; from += size)
        void at.content.write(Buffer.from(content.slice(from, from + size)))
      assert.match(replyText(await at.content.finish()), /^250 /)
    }
  })

  it('is refused with 552 when its header goes on beyond the limit', async () => {
    for (const size of [1, 7, 900]) {
      await using at = await start({}, { ...limits, headerMax: 500 })
      const content = `${'A: b\r\n'.repeat(84)}\r\ntext\r\n`
      for (let from = 0; from < content.length; from += size)
        void at.content.write(Buffer.from(content.slice(from, from + size)))
      const answer = replyText(await at.content.finish())
      assert.equal(answer, '552 5.3.4 The header exceeds 500 bytes')
      assert.equal(at.server.messages.length, 0)
    }
  })

  it('is not finished when the back end dies in the middle of it', async () => {
    await using at = await start()
    void at.content.write(Buffer.from('first half\r\n'))
    at.server.cut()
    await until(() => at.conversation.lost)
    assert.equal(at.content.write(Buffer.from('second half\r\n')), undefined)
    assert.match(replyText(await at.content.finish()), /^451 4\.4\.2 /)
  })

  it('waits for a back end that reads slowly, and gives up one that does not read', async () => {
    await using at = await start(
      { stopsReading: true },
      { ...limits, sizeMax: 1e9, headerMax: 1e9 },
    )
    const block = Buffer.alloc(65_536, 'x')
    let full: Promise<void> | undefined
    for (let count = 0; full === undefined && count < 200; count += 1)
      full = at.content.write(block)
    assert.ok(full)
    await at.clock.advance(3 * minute)
    await full
    assert.match(replyText(await at.content.finish()), /^451 4\.4\.2 /)
    assert.equal(at.clock.sleeping, 0)
  })

  it('holds on to what the back end has yet to read, unless it went on as a copy', async () => {
    await using at = await start(
      { stopsReading: true },
      { ...limits, sizeMax: 1e9, headerMax: 1e9 },
    )
    // In memory of its own, as what comes from a socket is.
    const write = (text: string) => void at.content.write(Buffer.alloc(text.length, text))
    const field = 'A: b\r\n'
    for (let count = 0; at.conversation.isFlushed && count < 200; count += 1)
      write(field.repeat(10_000))
    assert.ok(!at.conversation.isFlushed)
    assert.ok(at.content.holds, 'a slice')
    write(`X-Treacle-: x\r\n${field}`)
    assert.ok(!at.content.holds, 'a copy')
    write(`${field}X-Treacle-: x\r\n\r\ntext\r\n`)
    assert.ok(at.content.holds, 'a copy of the header, a slice of the text')
  })
})

interface Started extends Setup {
  readonly conversation: Conversation
  readonly content: Content
}

async function start(script: BackendScript = {}, given = limits): Promise<Started> {
  const setup = await setUp(script)
  const conversation = await converse(setup)
  const answer = await conversation.say('DATA', minute)
  assert.equal(answer.code, 354)
  return {
    ...setup,
    conversation,
    content: new Content(conversation, setup.backend.options, given),
    async [Symbol.asyncDispose]() {
      conversation.destroy()
      await setup[Symbol.asyncDispose]()
    },
  }
}
