/** What a client sends, in the order in which it came, however long a reply takes. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pendingInputMax } from '../../src/smtp/limits.ts'
import { type Feed, type Hearer, Parser } from '../../src/smtp/parser.ts'

describe('Parser', () => {
  it('hands on one line at a time, and the next when it may be heard', () => {
    const { parser, heard, goOn } = setUp()
    assert.equal(parser.write(Buffer.from('ONE\r\nTWO\r\nTH')), true)
    assert.deepEqual(heard, ['ONE'])
    parser.write(Buffer.from('REE\r\n'))
    parser.write(Buffer.from('FOUR\r\n'))
    assert.deepEqual(heard, ['ONE'])
    for (const count of [2, 3, 4, 4]) {
      goOn()
      assert.equal(heard.length, count)
    }
    assert.deepEqual(heard, ['ONE', 'TWO', 'THREE', 'FOUR'])
  })

  it('takes no more than is to wait, says so once, and goes on when that has been dealt with', () => {
    const { parser, heard, told, goOn } = setUp()
    let drained = 0
    parser.on('drain', () => {
      drained += 1
      // A socket that flows again hands on at once what it has.
      parser.write(Buffer.from('LAST\r\n'))
    })
    const piece = Buffer.from(`${'x'.repeat(4_094)}\r\n`)
    let written = 0
    while (parser.write(piece)) written += 1
    assert.equal(parser.write(piece), false)
    assert.equal(written, pendingInputMax / piece.length - 1)
    assert.equal(told.full, 1)
    const lines = written + 2
    for (let count = 1; count < lines; count += 1) goOn()
    assert.equal(drained, 0)
    goOn()
    assert.equal(drained, 1)
    assert.equal(heard.length, lines + 1)
    assert.equal(heard.at(-1), 'LAST')
  })

  it('takes many small pieces together once a reply is there', () => {
    const { parser, heard, told, goOn } = setUp()
    parser.write(Buffer.from('ONE\r\n'))
    for (let count = 0; count < 5_000; count += 1) parser.write(Buffer.from('x'))
    parser.write(Buffer.from('\r\n'))
    assert.equal(told.pieces, 5_001)
    goOn()
    assert.deepEqual(heard, ['ONE', 'x'.repeat(5_000)])
  })

  it('gives content to its feed, and the lines that follow it to who hears lines', () => {
    const { parser, heard, goOn } = setUp()
    const content: string[] = []
    let resume = () => {}
    const feed: Feed = {
      push: (chunk) => {
        const end = chunk.indexOf('.')
        content.push(chunk.toString('latin1', 0, end === -1 ? chunk.length : end))
        return { rest: end === -1 ? null : chunk.subarray(end + 1), drained: undefined }
      },
      end: (goesOn) => {
        resume = goesOn
      },
    }
    parser.write(Buffer.from('DATA\r\nab'))
    parser.write(Buffer.from('cd'))
    parser.feed = feed
    goOn()
    parser.write(Buffer.from('ef.QUIT\r\n'))
    assert.equal(content.join(''), 'abcdef')
    assert.deepEqual(heard, ['DATA'])
    resume()
    assert.deepEqual(heard, ['DATA', 'QUIT'])
  })

  it('has nothing for the feed where nothing has come behind DATA, and it is the client who is to speak', () => {
    const { parser, told, goOn } = setUp()
    const content: string[] = []
    parser.write(Buffer.from('DATA\r\n'))
    const before = told.turns
    parser.feed = {
      push: (chunk) => {
        content.push(chunk.toString('latin1'))
        return { rest: null, drained: undefined }
      },
      end: () => {},
    }
    goOn()
    assert.deepEqual([content, told.turns], [[], before + 1])
    parser.write(Buffer.from('abc'))
    assert.deepEqual(content, ['abc'])
  })

  it('puts the records of TLS together that are read at once, and keeps their order', async () => {
    const { parser, heard, told, goOn } = setUp()
    const content: string[] = []
    const feed: Feed = {
      push: (chunk) => {
        content.push(chunk.toString('latin1'))
        const end = chunk.indexOf('.')
        return { rest: end === -1 ? null : chunk.subarray(end + 1), drained: undefined }
      },
      end: (goesOn) => goesOn(),
    }
    parser.hasRecords = true
    parser.write(Buffer.from('DATA\r\n'))
    parser.feed = feed
    goOn()
    const large = 'x'.repeat(5_000)
    for (const record of ['a', 'b', large, 'c']) parser.write(Buffer.from(record))
    assert.deepEqual(content, [])
    await new Promise(setImmediate)
    assert.deepEqual(content, [`ab${large}c`])
    assert.deepEqual(told.records, [4])
    parser.write(Buffer.from(large))
    assert.deepEqual(content.slice(1), [large], 'what is large does not wait')
    for (const record of ['d', '.', 'QUI', 'T\r\n', 'RSET\r\n']) parser.write(Buffer.from(record))
    await new Promise(setImmediate)
    assert.deepEqual(content.slice(2), ['d.QUIT\r\nRSET\r\n'])
    assert.deepEqual(heard, ['DATA', 'QUIT'])
    assert.deepEqual(told.records, [4, 1, 5])
  })

  it('makes one of many pieces that wait, and keeps their order', () => {
    const { parser, heard, goOn } = setUp()
    parser.hasRecords = true
    parser.write(Buffer.from('ONE\r\n'))
    const line = Array.from({ length: 2_500 }, (_, at) => String(at % 10)).join('')
    for (const byte of line) parser.write(Buffer.from(byte))
    parser.write(Buffer.from('\r\n'))
    goOn()
    assert.deepEqual(heard, ['ONE', line])
  })

  it('counts what waits of records, and nothing that has been dealt with', async () => {
    const { parser, told, goOn } = setUp()
    let release = () => {}
    const drained = () =>
      new Promise<void>((resolve) => {
        release = resolve
      })
    parser.hasRecords = true
    parser.write(Buffer.from('DATA\r\n'))
    parser.feed = { push: () => ({ rest: null, drained: drained() }), end: () => {} }
    goOn()
    release()
    await new Promise(setImmediate)
    const record = Buffer.alloc(1_024, 'x')
    for (let round = 0; round < 3; round += 1) {
      parser.write(record)
      await new Promise(setImmediate)
      let count = 1
      while (parser.write(record)) count += 1
      assert.equal(count, pendingInputMax / record.length - 1)
      while (told.full > 0) {
        told.full = 0
        release()
        await new Promise(setImmediate)
        release()
        await new Promise(setImmediate)
      }
    }
  })

  it('hands on nothing of records once it is closed', async () => {
    const { parser, heard, goOn } = setUp()
    parser.hasRecords = true
    parser.write(Buffer.from('DATA\r\n'))
    parser.feed = { push: () => assert.fail('it is closed'), end: () => {} }
    parser.write(Buffer.from('a'))
    parser.close()
    goOn()
    await new Promise(setImmediate)
    assert.deepEqual(heard, ['DATA'])
  })

  it('hands on nothing once it is closed', () => {
    const { parser, heard, goOn } = setUp()
    parser.write(Buffer.from('ONE\r\nTWO\r\n'))
    parser.isClosed = true
    goOn()
    assert.deepEqual(heard, ['ONE'])
  })
})

function setUp() {
  const heard: string[] = []
  const told: { pieces: number; full: number; turns: number; records: number[] } = {
    pieces: 0,
    full: 0,
    turns: 0,
    records: [],
  }
  let next = () => {}
  const hearer: Hearer = {
    line: (line, _more, goesOn) => {
      heard.push(line.kind === 'line' ? line.bytes.toString('latin1') : line.kind)
      next = goesOn
    },
    piece: (_count, records) => {
      told.pieces += 1
      told.records.push(records)
    },
    turn: () => {
      told.turns += 1
    },
    spoke: () => {},
    full: () => {
      told.full += 1
    },
    drained: () => {},
  }
  return { parser: new Parser(100_000, hearer), heard, told, goOn: () => next() }
}
