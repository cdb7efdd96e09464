/** What is a reply and what is not (catalogue K6 to K8). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Reply } from '../../src/core/reply.ts'
import { ProtocolError, ReplyReader, readReply } from '../../src/relay/reply-reader.ts'

const replies = [
  { from: '250 ok\r\n', code: 250, enhanced: '', lines: ['ok'], because: 'the usual' },
  { from: '250\r\n', code: 250, enhanced: '', lines: [''], because: 'text is optional' },
  { from: '250 \r\n', code: 250, enhanced: '', lines: [''], because: 'it may be empty' },
  {
    from: '250-a\r\n250-\r\n250 b\r\n',
    code: 250,
    enhanced: '',
    lines: ['a', '', 'b'],
    because: 'several lines are one reply',
  },
  {
    from: '550-5.1.1 no\r\n550 5.1.1 way\r\n',
    code: 550,
    enhanced: '5.1.1',
    lines: ['no', 'way'],
    because: 'the enhanced code is on each line (RFC 2034)',
  },
  {
    from: '550-5.1.1 no\r\n550 way\r\n',
    code: 550,
    enhanced: '',
    lines: ['5.1.1 no', 'way'],
    because: 'one that is not on each line stays where it is',
  },
  { from: '550 5.1.1\r\n', code: 550, enhanced: '5.1.1', lines: [''], because: 'and nothing else' },
  { from: '550 5.1.1x\r\n', code: 550, enhanced: '', lines: ['5.1.1x'], because: 'it is text' },
  { from: '250 3.1.1 x\r\n', code: 250, enhanced: '', lines: ['3.1.1 x'], because: 'no class 3' },
  {
    from: '250 a\rb\0c\x1b[2J\td\r\n',
    code: 250,
    enhanced: '',
    lines: ['a b c [2J\td'],
    because: 'K8: what could split a reply or drive a terminal is taken out',
  },
  {
    from: '250 gr\xc3\xbc\xc3\x9f\r\n',
    code: 250,
    enhanced: '',
    lines: ['grüß'],
    because: 'UTF-8',
  },
  { from: '250 gr\xfc\r\n', code: 250, enhanced: '', lines: ['grü'], because: 'or Latin-1' },
]

const garbage = [
  { from: '250 ok\n', because: 'K7: LF alone' },
  { from: '25\r\n', because: 'K7: two digits' },
  { from: '2500 x\r\n', because: 'K7: four digits' },
  { from: '250-a\r\n550 b\r\n', because: 'K7: two codes' },
  { from: '150 x\r\n', because: 'no class 1 in SMTP' },
  { from: '650 x\r\n', because: 'no class 6' },
  { from: '250_x\r\n', because: 'neither space nor dash' },
  { from: '\r\n', because: 'an empty line' },
  { from: ' 250 x\r\n', because: 'a space in front' },
  { from: '+OK POP3 ready\r\n', because: 'another protocol' },
  { from: '250 a\r\r\n250-b\r', because: 'a line without end', fine: 1, after: 'x'.repeat(5_000) },
  { from: `250 ${'x'.repeat(1_048_576)}`, because: 'K6: a line of 1 MiB' },
  { from: `250 ${'x'.repeat(5_000)}\r\n`, because: 'K6: a long line, with its end' },
  { from: '250-x\r\n'.repeat(5_000), because: 'K6: 5000 lines' },
]

describe('ReplyReader', () => {
  for (const { from, because, ...expected } of replies) {
    it(`${JSON.stringify(from)}: ${because}, wherever it is cut`, () => {
      const bytes = Buffer.from(from, 'latin1')
      for (let at = 0; at <= bytes.length; at += 1) {
        assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)]), [expected])
      }
    })
  }

  for (const { from, because, fine = 0, after = '' } of garbage) {
    it(`${JSON.stringify(from.slice(0, 30))}: ${because}`, () => {
      const before: Reply[] = []
      assert.throws(
        () => read([Buffer.from(from, 'latin1'), Buffer.from(after)], before),
        ProtocolError,
      )
      assert.equal(before.length, fine)
    })
  }

  it('gives several replies of one chunk, and those before a wrong one', () => {
    const heard: Reply[] = []
    const chunk = Buffer.from('250 a\r\n251 b\r\ngarbage\r\n')
    assert.throws(() => read([chunk], heard), /malformed reply "garbage/)
    assert.deepEqual(
      heard.map(({ code }) => code),
      [250, 251],
    )
  })

  it('gives up on a reply that never ends', () => {
    const reader = new ReplyReader()
    const block = Buffer.from('250-more\r\n'.repeat(100))
    assert.throws(() => {
      for (let count = 0; count < 10; count += 1) reader.push(block, () => {})
    }, /too many lines/)
  })
})

describe('readReply', () => {
  it('gives the first reply, whatever stands behind it', () => {
    assert.deepEqual(readReply(['451-4.3.0 not', '451 4.3.0 now', '']), {
      code: 451,
      enhanced: '4.3.0',
      lines: ['not', 'now'],
    })
  })

  for (const lines of [[], [''], ['451'.repeat(2)], ['451-goes on']]) {
    it(`gives nothing of ${JSON.stringify(lines)}`, () => assert.equal(readReply(lines), null))
  }
})

function read(pieces: readonly Buffer[], heard: Reply[] = []): Reply[] {
  const reader = new ReplyReader()
  for (const piece of pieces) reader.push(piece, (reply) => heard.push(reply))
  return heard
}
