/** Where a message ends and what must not be in it, whatever pieces it comes in (catalogue A). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DataScan } from '../../src/smtp/data-scan.ts'

const body = 'Subject: t\r\n\r\nbody'
const smuggled = 'MAIL FROM:<evil@example.com>\r\nDATA\r\nx\r\n.\r\n'

const faults = [
  { id: 'A1', sequence: '\n.\n', fault: 'bare-newline' },
  { id: 'A2', sequence: '\n.\r\n', fault: 'bare-newline' },
  { id: 'A3', sequence: '\r.\r', fault: 'bare-newline' },
  { id: 'A5', sequence: '\r\n.\n', fault: 'bare-newline' },
  { id: 'A6', sequence: '\r\n.\r', fault: 'bare-newline' },
  { id: 'A8', sequence: '\r\n\0.\r\n', fault: 'nul' },
  { id: 'A9', sequence: '\r\0\n.\r\n', fault: 'bare-newline' },
  { id: 'A10', sequence: '\r\n.\0\r\n', fault: 'nul' },
  { id: 'A13', sequence: '\n.\r', fault: 'bare-newline' },
  { id: 'A14', sequence: '\r\n.\r\r\n', fault: 'bare-newline' },
  { id: 'A15', sequence: '\r\r\n.\r\r\n', fault: 'bare-newline' },
  { id: 'A16', sequence: '\n..\r\n', fault: 'bare-newline' },
  { id: 'A17', sequence: '\r\n..\n', fault: 'bare-newline' },
  { id: 'A18', sequence: '\n..\n', fault: 'bare-newline' },
  { id: 'A27', sequence: '\nall\nin\nLF', fault: 'bare-newline' },
].map(({ id, sequence, fault }) => ({
  input: `${body}${sequence}${smuggled}`,
  rest: '',
  fault,
  because: `${id}: ${JSON.stringify(sequence)} ends nothing, so what follows is content of a refused message`,
}))

const cases = [
  ...faults,
  {
    input: `${body}\0\r\n.\r\n${smuggled}`,
    rest: smuggled,
    fault: 'nul',
    because: 'A7: a NUL before the end does not hide the end',
  },
  { input: '\n.\r\n\r\n.\r\n', rest: '', fault: 'bare-newline', because: 'A19: LF at the start' },
  { input: '.\n\r\n.\r\n', rest: '', fault: 'bare-newline', because: 'A20: dot LF at the start' },
  { input: '.\r\n', rest: '', fault: null, because: 'an empty message' },
  { input: 'a\r\n.\r\nQUIT\r\n', rest: 'QUIT\r\n', fault: null, because: 'A22, A28: one end' },
  { input: '..\r\n.\r\n', rest: '', fault: null, because: 'A23: a first line of two dots' },
  { input: '..test\r\n.test\r\n.\r\n', rest: '', fault: null, because: 'A24: dots at line starts' },
  { input: 'a\r\n. \r\n.\r\n', rest: '', fault: null, because: 'A25: a dot and a space' },
  { input: 'a\r\n.\r\n.\r\n', rest: '.\r\n', fault: null, because: 'the first end counts' },
  { input: 'a.\r\n.\r\n', rest: '', fault: null, because: 'a dot at the end of a line is content' },
  { input: '\r\n\r\n.\r\n\n', rest: '\n', fault: null, because: 'what follows is not looked at' },
  { input: 'é\t\x01\x7f\xff\r\n.\r\n', rest: '', fault: null, because: 'other bytes are content' },
]

describe('DataScan', () => {
  for (const { input, rest, fault, because } of cases) {
    it(`${because}, however it is cut`, () => {
      const bytes = Buffer.from(input, 'latin1')
      for (let first = 0; first <= bytes.length; first += 1) {
        for (const second of [first, first + 1, first + 2, bytes.length]) {
          const cut = [
            bytes.subarray(0, first),
            bytes.subarray(first, second),
            bytes.subarray(second),
          ]
          assert.deepEqual(scan(cut), expected(input, rest, fault), `cut at ${first}, ${second}`)
        }
      }
      const singly = [...bytes].map((byte) => Buffer.from([byte]))
      assert.deepEqual(scan(singly), expected(input, rest, fault), 'byte by byte')
    })
  }

  it('keeps back no more than a dot and a CR, and gives them back when they are content', () => {
    const scan = new DataScan()
    assert.deepEqual(texts(scan.push(Buffer.from('a\r\n.'))), ['a\r\n'])
    assert.deepEqual(texts(scan.push(Buffer.from('\r'))), [])
    assert.deepEqual(texts(scan.push(Buffer.from('x'))), ['.\r', 'x'])
    assert.equal(scan.fault, 'bare-newline')
  })

  it('copies nothing: content is a slice of what came in', () => {
    const chunk = Buffer.from('a\r\nb\r\n.\r\nQUIT\r\n')
    const { content, rest } = new DataScan().push(chunk)
    assert.equal(content[0]?.buffer, chunk.buffer)
    assert.equal(rest?.buffer, chunk.buffer)
  })
})

interface Outcome {
  readonly content: string
  readonly rest: string
  readonly fault: string | null
}

/** What the table says: all before the end is content, in spite of what is wrong with it. */
function expected(input: string, rest: string, fault: string | null): Outcome {
  return { content: input.slice(0, input.length - rest.length - '.\r\n'.length), rest, fault }
}

/** Feeds the pieces as the server does: what follows the end is not fed. */
function scan(pieces: readonly Buffer[]): Outcome {
  const scan = new DataScan()
  let content = ''
  for (const [index, piece] of pieces.entries()) {
    const scanned = scan.push(piece)
    content += Buffer.concat(scanned.content).toString('latin1')
    if (scanned.rest === null) continue
    const after = Buffer.concat([scanned.rest, ...pieces.slice(index + 1)])
    return { content, rest: after.toString('latin1'), fault: scan.fault }
  }
  return { content, rest: '', fault: scan.fault }
}

function texts({ content }: { readonly content: readonly Buffer[] }): string[] {
  return content.map((piece) => piece.toString('latin1'))
}

describe('DataScan, wherever the bytes lie in memory', () => {
  for (const offset of [0, 1, 2, 3, 5]) {
    it(`finds the same at offset ${offset}`, () => {
      for (let length = 0; length < 40; length += 1) {
        const line = 'x\xe9~'.repeat(length).slice(0, length)
        const whole = new DataScan().push(placed(`${line}\r\n.\r\nQUIT`, offset))
        assert.equal(whole.rest?.toString(), 'QUIT')
        assert.equal(Buffer.concat(whole.content).toString('latin1'), `${line}\r\n`)
        for (const flaw of ['\n', '\r', '\0']) {
          const scan = new DataScan()
          scan.push(placed(`${line}${flaw}${line}\r\n`, offset))
          const expected = flaw === '\0' ? 'nul' : 'bare-newline'
          // A CR at the end of an empty line is the beginning of CR CR LF, which is bare as well.
          assert.equal(scan.fault, expected, JSON.stringify([flaw, length]))
        }
      }
    })
  }

  // All texts of these characters up to this length, whole and cut in two at each place.
  const texts = textsOf(['\r', '\n', '.', 'a'], 7)

  it('finds the same end when nothing but the end is looked for', () => {
    for (const text of texts) {
      const bytes = Buffer.from(`${text}\r\n.\r\nQUIT`)
      const known = new DataScan()
      const expected = known.push(bytes).rest?.length
      for (let cut = 0; cut <= text.length + 5; cut += 1) {
        const scan = new DataScan()
        const before = scan.push(bytes.subarray(0, cut)).rest
        scan.giveUp()
        const rest =
          before === null
            ? scan.push(bytes.subarray(cut)).rest
            : bytes.subarray(cut - before.length)
        assert.equal(rest?.length, expected, JSON.stringify([text, cut]))
      }
    }
  })

  it('mends the same however it comes, also when it is known that there is something to mend', () => {
    for (const text of texts) {
      const bytes = Buffer.from(`a\nb${text}\r\n.\r\nQUIT`)
      const expected = mendedOf([bytes])
      for (let cut = 1; cut < bytes.length - 4; cut += 1) {
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)]
        assert.deepEqual(mendedOf(pieces), expected, JSON.stringify([text, cut]))
      }
    }
  })
})

function mendedOf(pieces: readonly Buffer[]): { readonly content: string; readonly rest: string } {
  const scan = new DataScan({ mends: ['bare-newline'], lineMax: Infinity })
  const content: Buffer[] = []
  const rest: Buffer[] = []
  for (const piece of pieces) {
    if (rest.length > 0) rest.push(piece)
    else {
      const scanned = scan.push(piece)
      content.push(...scanned.content)
      if (scanned.rest !== null) rest.push(scanned.rest)
    }
  }
  return { content: Buffer.concat(content).toString(), rest: Buffer.concat(rest).toString() }
}

function textsOf(characters: readonly string[], lengthMax: number): string[] {
  let longest = ['']
  const all = ['']
  for (let length = 1; length <= lengthMax; length += 1) {
    longest = longest.flatMap((text) => characters.map((character) => text + character))
    all.push(...longest)
  }
  return all
}

/** A slice of a buffer of its own which ends with it, so that no word reaches beyond. */
function placed(text: string, offset: number): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const slice = Buffer.from(new ArrayBuffer(offset + bytes.length), offset, bytes.length)
  bytes.copy(slice)
  return slice
}
