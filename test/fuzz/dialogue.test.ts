/**
 * Whatever a client and a back end say to each other through Treacle, in whatever pieces: each reply
 * is well formed, a client hears of an accepted message exactly as often as the back end accepted
 * one, nothing arrives that could be taken for two, and no bug is met.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type RunningProxy, settled, startProxy } from '../helpers/proxy.ts'
import { type Answer, type ScriptedBackend, startBackend } from '../helpers/scripted-backend.ts'
import { effort } from './effort.ts'

/** What a client may say; some of it more often, so that deep states are reached. */
const envelope = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<u@example.net>\r\nDATA\r\n'
const said = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(envelope, `EHLO c.example\r\n${envelope}`, `RSET\r\n${envelope}`),
  },
  { weight: 6, arbitrary: fc.constantFrom('EHLO c.example\r\n', 'HELO friend\r\n') },
  { weight: 6, arbitrary: fc.constantFrom('MAIL FROM:<a@b.example>\r\n', 'MAIL FROM:<>\r\n') },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'RCPT TO:<u@example.net>\r\n',
      'RCPT TO:<"a b"@example.net> NOTIFY=NEVER\r\n',
    ),
  },
  { weight: 6, arbitrary: fc.constant('DATA\r\n') },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'Subject: x\r\n\r\nhello\r\n.\r\n',
      '.\r\n',
      '..\r\n.\r\n',
      'a\n.\nb\r\n.\r\n',
      'a\0\r\n.\r\n',
      `${'x'.repeat(3_000)}\r\n.\r\n`,
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...[
        'RSET',
        'NOOP',
        'VRFY x',
        'HELP',
        'QUIT',
        'STARTTLS',
        'AUTH PLAIN AGEAYg==',
        'BDAT 4 LAST',
        'XCLIENT ADDR=192.0.2.1',
      ].map((verb) => `${verb}\r\n`),
      ...[
        'DATA x',
        ' EHLO y',
        'MAIL FROM:<a',
        'RCPT TO:<x@elsewhere.example>',
        'EHLO a\0b',
        'GET / HTTP/1.1',
        '',
      ].map((verb) => `${verb}\r\n`),
      ...['\r', '\n', '\r\n', '.', '\0', '\x16\x03', '\x1b[2J', 'EHLO z\n', 'NOOP\r\r\n'],
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 20, unit: 'binary' }) },
)

/** What a back end may answer, the usual mostly. */
const answer: fc.Arbitrary<Answer | undefined> = fc.oneof(
  { weight: 20, arbitrary: fc.constant(undefined) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Answer>(
      '550 5.1.1 no',
      '451 4.2.0 later',
      '421 4.3.2 bye',
      'close',
      'reset',
      '354 what?',
      '250 2.0.0 fine',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Answer>(
      'garbage',
      Buffer.from('250-a\r\n550 b\r\n'),
      Buffer.from('250 a\r\n250 b\r\n'),
      Buffer.from('550 a\x1b\rb\r\n'),
      { breaksOffAfter: '250 taken\r\n' },
    ),
  },
)

describe('a dialogue', () => {
  it('keeps its promises, whatever is said on either side', async () => {
    const script = new Script()
    await using backend = await startBackend({
      replies: (line) => script.next(line),
    })
    await using proxy = await startProxy({ backend: backend.address, config: plain })
    const dialogue = fc.record({
      pieces: fc.array(fc.array(said, { maxLength: 3 }), { minLength: 1, maxLength: 12 }),
      answers: fc.array(answer, { minLength: 1, maxLength: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(dialogue, async ({ pieces, answers }) => {
        script.begin(answers)
        await play(
          proxy,
          backend,
          script,
          pieces.map((piece) => piece.join('')),
        )
      }),
      effort(250),
    )
    assert.ok(backend.messages.length > 5, 'it gets as far as that')
  })
})

/** Nobody waits, so that a run takes no longer than the sockets do. */
const plain =
  'mode = "observe"\nbackend.retry_after = "0s"\ndata.nul = "replace"\ndata.bare_newline = "normalize"\nlimits.size_max = "2KB"'

/** What the back end answers next, and how many messages it has taken. */
class Script {
  takenCount = 0
  #answers: readonly (Answer | undefined)[] = []
  #at = 0

  begin(answers: readonly (Answer | undefined)[]): void {
    this.#answers = answers
    this.#at = 0
    this.takenCount = 0
  }

  next(line: string): Answer | undefined {
    const answer = this.#answers[this.#at % this.#answers.length]
    this.#at += 1
    if (line === '.' && answer === undefined) this.takenCount += 1
    return answer
  }
}

let clientCount = 0

async function play(
  proxy: RunningProxy,
  backend: ScriptedBackend,
  script: Script,
  pieces: readonly string[],
): Promise<void> {
  clientCount += 1
  const messagesBefore = backend.messages.length
  const from = `198.18.${(clientCount >> 8) & 255}.${clientCount & 255}`
  const client = await proxy.connectFrom(from)
  let heard = ''
  client.socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
  })
  await settled()
  for (const piece of pieces) {
    if (client.socket.destroyed) break
    client.says(Buffer.from(piece, 'latin1'))
    await settled()
  }
  client.leaves()
  await settled()
  assert.match(heard, /^(?:\d{3}(?:-[\t -~]*\r\n|(?: [\t -~]*)?\r\n))*$/, JSON.stringify(heard))
  const heardOf = heard.split('250 2.0.0 Queued\r\n').length - 1
  assert.ok(heardOf <= script.takenCount, `${heardOf} heard of, ${script.takenCount} taken`)
  for (const message of backend.messages.slice(messagesBefore)) {
    assert.doesNotMatch(message.toString('latin1'), /\r(?!\n)|(?<!\r)\n|\0/)
  }
  assert.equal(proxy.app.log.counts['our-fault'], 0)
}
