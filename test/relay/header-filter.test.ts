/** Forged headers are left out and everything else passes as it came, wherever chunks are cut. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HeaderFilter } from '../../src/relay/header-filter.ts'
import { ownHeaders } from '../../src/relay/trace.ts'

const rest = 'Subject: hello\r\n\r\nX-Treacle-Score: this is the body\r\n'

const cases = [
  { from: rest, to: rest, because: 'nothing is forged' },
  { from: `X-HELO-warning: hi\r\n${rest}`, to: rest, because: 'it is ours' },
  { from: `x-helo-DUBIOUS: hi\r\n${rest}`, to: rest, because: 'case does not count' },
  { from: `X-Treacle-Anything: hi\r\n${rest}`, to: rest, because: 'all that begin so are ours' },
  { from: `X-HELO-warning \t: hi\r\n${rest}`, to: rest, because: 'RFC 822 allowed spaces there' },
  { from: `X-HELO-warning${' '.repeat(300)}: hi\r\n${rest}`, to: rest, because: 'even many' },
  { from: `X-Treacle-${'a'.repeat(300)}: hi\r\n${rest}`, to: rest, because: 'the name is endless' },
  {
    from: `X-HELO-warning: hi\r\n there\r\n\tand here\r\n${rest}`,
    to: rest,
    because: 'continuation lines go with it',
  },
  {
    from: `A: 1\r\n 2\r\nX-HELO-warning:\r\n 3\r\nB: 4\r\n 5\r\n${rest}`,
    to: `A: 1\r\n 2\r\nB: 4\r\n 5\r\n${rest}`,
    because: 'continuation lines of others stay',
  },
  {
    from: `X-HELO-warning: 1\r\nX-HELO-warning: 2\r\nA: 1\r\nX-Treacle-: 3\r\n${rest}`,
    to: `A: 1\r\n${rest}`,
    because: 'there may be many',
  },
  {
    from: `X-HELO-warnings: hi\r\nNot-X-HELO-warning: hi\r\nX-Treacle: hi\r\n${rest}`,
    to: `X-HELO-warnings: hi\r\nNot-X-HELO-warning: hi\r\nX-Treacle: hi\r\n${rest}`,
    because: 'these are other names',
  },
  {
    from: `.X-HELO-warning: hi\r\n.\tthere\r\n${rest}`,
    to: rest,
    because: 'the back end takes the dot off, and it would be there',
  },
  {
    from: `..X-HELO-warning: hi\r\n${rest}`,
    to: `..X-HELO-warning: hi\r\n${rest}`,
    because: 'with two dots it is called ".X-HELO-warning"',
  },
  {
    from: `From alice\r\nFrom bob\r\nSubject: a\r\n>From carol\r\nX-HELO-warning: hi\r\n${rest}`,
    to: `From alice\r\nFrom bob\r\nSubject: a\r\n>From carol\r\n${rest}`,
    because: 'the "From " line of an mbox ends no header',
  },
  {
    from: `${'A'.repeat(500)}: x\r\nX-HELO-warning: hi\r\n${rest}`,
    to: `${'A'.repeat(500)}: x\r\n${rest}`,
    because: 'a long name does not end the header',
  },
  {
    from: `N\xe4me: x\r\nX-HELO-warning: hi\r\n${rest}`,
    to: `N\xe4me: x\r\n${rest}`,
    because: 'nor does one that is not ASCII',
  },
  ...['hello, this is text', 'a b: hi', ': hi', '\v: hi', 'A\x01: hi', 'A\x7f: hi'].map((line) => ({
    from: `${line}\r\nX-HELO-warning: hi\r\n there\r\n${line}\r\n${rest}`,
    to: `${line}\r\n${line}\r\n${rest}`,
    because: 'some servers read on behind it',
  })),
  ...['\v', '\f', ' \f\t\v ', '\r\n ', ' \r\n\t', '\v\r\n \r\n '].map((space) => ({
    from: `X-HELO-warning${space}: hi\r\n${rest}`,
    to: rest,
    because: 'Exim finds the colon',
  })),
  {
    from: `X-HELO-warning hi\r\nX-HELO-warning hi: there\r\n\vX-HELO-warning: hi\r\n${rest}`,
    to: `X-HELO-warning hi\r\nX-HELO-warning hi: there\r\n\vX-HELO-warning: hi\r\n${rest}`,
    because: 'nobody reads our name there',
  },
  {
    from: `A: 1\r\n \r\n\t\r\nX-HELO-warning: hi\r\n${rest}`,
    to: `A: 1\r\n \r\n\t\r\n${rest}`,
    because: 'a line of blanks goes on',
  },
  ...[' FORGED', '\tFORGED', '. FORGED', '.\tFORGED', ' ', '\t\r\n more'].map((line) => ({
    from: `${line}\r\nX-HELO-warning: hi\r\n\r\n`,
    to: `\r\n${line}\r\nX-HELO-warning: hi\r\n\r\n`,
    because: 'it would go on with the last of our own headers',
  })),
  { from: '\r\nX-HELO-warning: hi\r\n', to: '\r\nX-HELO-warning: hi\r\n', because: 'no header' },
  { from: '', to: '', because: 'an empty message' },
  { from: 'X-HELO-warning: hi\r\n', to: '', because: 'nothing else is left' },
  { from: 'Subject: hi\r\n', to: 'Subject: hi\r\n', because: 'it ends within the header' },
]

describe('HeaderFilter', () => {
  for (const { from, to, because } of cases) {
    const shown = JSON.stringify(from.length > 60 ? `${from.slice(0, 60)}...` : from)
    it(`${shown}: ${because}, wherever it is cut`, () => {
      const bytes = Buffer.from(from, 'latin1')
      for (let at = 0; at <= bytes.length; at += 1) {
        assert.equal(filtered([bytes.subarray(0, at), bytes.subarray(at)]).text, to, `cut at ${at}`)
      }
      assert.equal(filtered([...bytes].map((byte) => Buffer.from([byte]))).text, to)
    })
  }

  const counts = [
    { message: 'Received: a\r\nreceived : b\r\n c\r\n.Received: d\r\n\r\n', count: 3 },
    { message: 'text\r\nReceived\f: a\r\na b: c\r\nReceived\r\n : b\r\n\r\n', count: 2 },
    { message: 'Received-SPF: a\r\nX-Received: b\r\n\r\nReceived: body\r\n', count: 0 },
    { message: `${'Received: x\r\n'.repeat(10_000)}\r\n`, count: 10_000 },
  ]
  for (const { message, count } of counts) {
    it(`counts ${count} Received lines in ${JSON.stringify(message.slice(0, 40))}`, () => {
      const bytes = Buffer.from(message)
      const half = bytes.length >> 1
      assert.equal(filtered([bytes]).receivedCount, count)
      assert.equal(filtered([bytes.subarray(0, half), bytes.subarray(half)]).receivedCount, count)
    })
  }

  it('keeps back little of a line, however long it is', () => {
    for (const start of ['Subject: ', 'Subject', 'X-HELO-warning: ', ' folded ']) {
      const filter = new HeaderFilter()
      const chunk = Buffer.from(start.padEnd(1_000, 'x'))
      for (let count = 0; count < 1_000; count += 1) filter.push(chunk)
      assert.ok(filter.end().length <= 128, start)
    }
  })

  it('copies nothing of a header with nothing forged in it, nor of a body', () => {
    const chunk = Buffer.from('A: b\r\n\r\nbody\r\n')
    for (const piece of new HeaderFilter().push(chunk)) {
      assert.ok(piece.length === 0 || piece.buffer === chunk.buffer)
    }
  })

  it('holds on to no chunk', () => {
    const filter = new HeaderFilter()
    const chunk = Buffer.from('X-HELO-warn')
    filter.push(chunk)
    chunk.fill('A')
    assert.equal(Buffer.concat(filter.push(Buffer.from('ing: a\r\n'))).length, 0)
    assert.equal(filter.end().length, 0)
  })

  it('has room for whatever comes, up to the last byte of its memory', () => {
    // It only grows, so these are larger than whatever came before; the table of names lies below.
    for (const pages of [100, 101, 102]) {
      for (let spare = 20; spare >= 0; spare -= 1) {
        const chunk = Buffer.alloc(pages * 65_536 - 128 - spare, 'A: b\r\n')
        const filter = new HeaderFilter()
        assert.ok(Buffer.concat([...filter.push(chunk), filter.end()]).equals(chunk))
      }
    }
  })

  for (const name of ownHeaders) {
    it(`leaves out ${name}`, () => assert.equal(filtered([Buffer.from(`${name}: x\r\n`)]).text, ''))
  }
})

/** What lies in its memory beyond a piece must not matter. */
const before = [...' :\na'].map((text) => Buffer.alloc(1_000, text))

function filtered(pieces: readonly Buffer[]): { text: string; receivedCount: number } {
  const [found, ...others] = before.map((left) => {
    const filter = new HeaderFilter()
    const passed = pieces.flatMap((piece) => {
      new HeaderFilter().push(left)
      return filter.push(piece)
    })
    const text = Buffer.concat([...passed, filter.end()]).toString('latin1')
    return { text, receivedCount: filter.receivedCount }
  })
  assert.ok(found)
  for (const other of others) assert.deepEqual(other, found)
  return found
}
