/** Content with bare newlines and NULs, mended on its way (catalogue A with data.bare_newline = "normalize"). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DataScan } from '../../src/smtp/data-scan.ts'
import { effort } from '../fuzz/effort.ts'

const cases = [
  { id: 'A1', from: 'b\n.\nc', to: 'b\r\n..\r\nc' },
  { id: 'A2', from: 'b\n.\r\nc', to: 'b\r\n..\r\nc' },
  { id: 'A3', from: 'b\r.\rc', to: 'b\r\n..\r\nc' },
  { id: 'A5', from: 'b\r\n.\nc', to: 'b\r\n..\r\nc' },
  { id: 'A6', from: 'b\r\n.\rc', to: 'b\r\n..\r\nc' },
  { id: 'A8', from: 'b\r\n\0.\r\nc', to: 'b\r\n .\r\nc' },
  { id: 'A9', from: 'b\r\0\n.\r\nc', to: 'b\r\n \r\n..\r\nc' },
  { id: 'A10', from: 'b\r\n.\0\r\nc', to: 'b\r\n. \r\nc' },
  { id: 'A13', from: 'b\n.\rc', to: 'b\r\n..\r\nc' },
  { id: 'A14', from: 'b\r\n.\r\r\nc', to: 'b\r\n..\r\n\r\nc' },
  { id: 'A15', from: 'b\r\r\n.\r\r\nc', to: 'b\r\n\r\n..\r\n\r\nc' },
  { id: 'A16', from: 'b\n..\r\nc', to: 'b\r\n...\r\nc' },
  { id: 'A17', from: 'b\r\n..\nc', to: 'b\r\n..\r\nc' },
  { id: 'A18', from: 'b\n..\nc', to: 'b\r\n...\r\nc' },
  { id: 'A19', from: '\n.\r\nc', to: '\r\n..\r\nc' },
  { id: 'A20', from: '.\nc', to: '..\r\nc' },
  { id: 'A24', from: '..a\r\n.b\nc', to: '..a\r\n.b\r\nc' },
  { id: 'A27', from: 'a: b\n\nc\n.d', to: 'a: b\r\n\r\nc\r\n..d' },
]

describe('mended content', () => {
  for (const { id, from, to } of cases) {
    it(`${id}: ${JSON.stringify(from)} goes on as ${JSON.stringify(to)}, however it is cut`, () => {
      const bytes = Buffer.from(`${from}\r\n.\r\nQUIT`, 'latin1')
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const passed = mended([bytes.subarray(0, cut), bytes.subarray(cut)])
        assert.equal(passed.content, `${to}\r\n`, `cut at ${cut}`)
      }
    })
  }

  it('has no bare newline, no NUL and no end in it, and says what the client said', () => {
    const token = fc.constantFrom('\r', '\n', '\r\n', '.', '..', '\0', 'x', '\r\n.\r\n', '\n.\n')
    const pieces = fc.array(fc.array(token, { maxLength: 6 }), { maxLength: 8 })
    fc.assert(
      fc.property(pieces, (parts) => {
        const wire = `${parts.flat().join('')}\r\n.\r\n`
        const passed = mended(
          [...parts.map((part) => part.join('')), '\r\n.\r\n'].map((part) => Buffer.from(part)),
        )
        const endsAt = `\r\n${wire}`.indexOf('\r\n.\r\n')
        assert.equal(passed.content, model(wire.slice(0, endsAt)))
        assert.equal(passed.rest, wire.slice(endsAt + 3))
        assert.doesNotMatch(`\r\n${passed.content}`, /\r(?!\n)|(?<!\r)\n|\0|\r\n\.\r\n/)
      }),
      effort(5_000),
    )
  })

  it('is refused all the same for what is not mended', () => {
    const scan = new DataScan({ mends: ['bare-newline'], lineMax: 10 })
    scan.push(Buffer.from('a\nb\n'))
    assert.deepEqual([scan.fault, scan.isBeyondMending], ['bare-newline', false])
    scan.push(Buffer.from('a\0b'))
    assert.deepEqual([scan.fault, scan.isBeyondMending], ['nul', true])
  })
})

describe('long lines', () => {
  for (const [text, fault] of [
    ['0123456789\r\n0123456789\r\n', null],
    ['0123456789x\r\n', 'long-line'],
    ['0123456789xy', 'long-line'],
    ['01234\r\n01234\r\n01234\r\n', null],
    ['01234\n01234\n01234\n', 'bare-newline'],
  ] as const) {
    it(`${JSON.stringify(text)}: ${fault}, however it is cut`, () => {
      for (let cut = 0; cut <= text.length; cut += 1) {
        const scan = new DataScan({ mends: ['bare-newline'], lineMax: 10 })
        scan.push(Buffer.from(text.slice(0, cut)))
        scan.push(Buffer.from(text.slice(cut)))
        assert.equal(scan.fault, fault, `cut at ${cut}`)
      }
    })
  }
})

function mended(pieces: readonly Buffer[]): { content: string; rest: string | null } {
  const scan = new DataScan({ mends: ['bare-newline', 'nul'], lineMax: Infinity })
  let content = ''
  for (const [index, piece] of pieces.entries()) {
    const scanned = scan.push(piece)
    content += Buffer.concat(scanned.content).toString('latin1')
    if (scanned.rest === null) continue
    const rest = Buffer.concat([scanned.rest, ...pieces.slice(index + 1)]).toString('latin1')
    return { content, rest }
  }
  return { content, rest: null }
}

/** Line by line: what each was, and what it has to be. */
function model(wire: string): string {
  let isMade = false
  return wire.replace(/([^\r\n]*)(\r\n|\r|\n|$)/g, (_, line: string, end: string) => {
    const isContent = (isMade && line.startsWith('.')) || (line === '.' && end !== '\r\n')
    isMade = end !== '\r\n'
    const newline = end === '' ? '' : '\r\n'
    return `${isContent ? '.' : ''}${line.replaceAll('\0', ' ')}${newline}`
  })
}
