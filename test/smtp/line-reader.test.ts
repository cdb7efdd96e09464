/** Lines out of bytes, whatever pieces they come in (catalogue B). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LineReader } from '../../src/smtp/line-reader.ts'
import { effort } from '../fuzz/effort.ts'

const lineMax = 10

const cases = [
  { input: 'NOOP\r\nQUIT\r\n', lines: ['NOOP', 'QUIT'], because: 'two lines' },
  { input: 'NOOP', lines: [], because: 'it has no end' },
  { input: 'NOOP\r', lines: [], because: 'the LF may come' },
  { input: '\r\n\r\n', lines: ['', ''], because: 'B8: empty lines are lines' },
  { input: ' EHLO x\r\n', lines: [' EHLO x'], because: 'B7: a space is kept' },
  {
    input: 'A\nB\n',
    lines: ['!bare-newline', '!bare-newline'],
    because: 'B1: a bare LF is a fault',
  },
  { input: 'A\rB\r', lines: [], because: 'B2: a bare CR ends nothing' },
  { input: 'A\rB\r\n', lines: ['!bare-newline'], because: 'a bare CR inside is a fault' },
  { input: 'A\r\r\n', lines: ['!bare-newline'], because: 'so is one before the end' },
  { input: 'a\0b\r\n', lines: ['a\0b'], because: 'B3: NUL is for the command to refuse' },
  { input: '\x16\x03\x01', lines: ['!tls'], because: 'B9: a TLS handshake' },
  { input: 'A\r\n\x16\x03', lines: ['A', '!tls'], because: 'B9: also later' },
  { input: '0123456789\r\n', lines: ['0123456789'], because: 'as long as may be' },
  { input: '0123456789x\r\n', lines: ['!too-long'], because: 'one more is too long' },
  { input: '0123456789xy', lines: ['!too-long'], because: 'G2: even unfinished' },
]

describe('LineReader', () => {
  for (const { input, lines, because } of cases) {
    it(`${JSON.stringify(input)}: ${because}, however it is cut`, () => {
      const bytes = Buffer.from(input, 'latin1')
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        assert.deepEqual(read([bytes.subarray(0, cut), bytes.subarray(cut)]), lines, `at ${cut}`)
      }
      assert.deepEqual(read([...bytes].map((byte) => Buffer.from([byte]))), lines, 'byte by byte')
    })
  }

  it('hands over what has come and is no line', () => {
    const reader = new LineReader(lineMax)
    reader.push(Buffer.from('DATA\r\nSubject: x\r\n'))
    reader.next()
    assert.equal(reader.hasMore, true)
    assert.equal(String(reader.takeRest()), 'Subject: x\r\n')
    assert.equal(reader.hasMore, false)
  })

  it('takes as much of a line that is too long as may be, and leaves what is beyond', () => {
    for (const pieces of [
      ['0123456789xyz\r\nA'],
      ['01234', '56789xyz\r\nA'],
      ['0123456789x', 'yz\r\nA'],
    ]) {
      const reader = new LineReader(lineMax)
      const lines = pieces.map((piece) => {
        reader.push(Buffer.from(piece))
        return reader.next()
      })
      const begins = Buffer.from('0123456789x')
      assert.deepEqual(lines.at(-1), { kind: 'too-long', begins })
      assert.equal(String(reader.takeRest()), 'yz\r\nA')
    }
  })

  it('reads any bytes in any pieces as a plain reading of the whole does', () => {
    const byte = fc.constantFrom(...Buffer.from('ab \r\r\r\n\n\n\0'))
    const pieces = fc.array(fc.array(byte, { maxLength: 9 }))
    fc.assert(
      fc.property(pieces, (parts) => {
        const whole = Buffer.from(parts.flat()).toString('latin1')
        assert.deepEqual(read(parts.map((part) => Buffer.from(part))), model(whole))
      }),
      effort(2_000),
    )
  })
})

/** Lines as text, faults as "!kind", up to the first after which a connection is closed. */
function read(pieces: readonly Buffer[]): string[] {
  const reader = new LineReader(lineMax)
  const lines: string[] = []
  for (const piece of pieces) {
    reader.push(piece)
    for (let line = reader.next(); line !== null; line = reader.next()) {
      lines.push(line.kind === 'line' ? line.bytes.toString('latin1') : `!${line.kind}`)
      if (line.kind === 'too-long' || line.kind === 'tls') return lines
    }
  }
  return lines
}

function model(text: string): string[] {
  const lines: string[] = []
  const parts = text.split('\n')
  const unfinished = parts.pop() ?? ''
  for (const part of parts) {
    if (part.length > lineMax + 1) return [...lines, '!too-long']
    lines.push(/^[^\r]*\r$/.test(part) ? part.slice(0, -1) : '!bare-newline')
  }
  return unfinished.length > lineMax + 1 ? [...lines, '!too-long'] : lines
}
