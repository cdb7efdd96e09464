/** Content sixteen bytes at a time: the same is found, and written, as byte by byte. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DataScan } from '../../src/smtp/data-scan.ts'
import { lay } from '../../src/smtp/lanes.ts'
import { Mender } from '../../src/smtp/mend.ts'
import { effort } from '../fuzz/effort.ts'

/** What is ordinary for longer than sixteen bytes, and what is not, at all distances from each other. */
const plain = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((count) => 'x'.repeat(count)),
  fc.constantFrom('\r\n'.repeat(12), 'ab\r\n'.repeat(9), '..\r\n'.repeat(7), '\t.'.repeat(10)),
)
const flaw = fc.constantFrom('\r', '\n', '\0', '\r\n.', '.\r\n', '\n.\r', '.\r\n.', '\r\r\n')
const wire = fc
  .array(fc.oneof(plain, plain, flaw), { maxLength: 12 })
  .map((parts) => parts.join(''))
const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 3 })

describe('lanes', () => {
  it('find the end, and what is wrong before it', () => {
    fc.assert(
      fc.property(wire, cuts, (text, at) => {
        const sent = `${text}\r\n.\r\nQUIT`
        const endsAt = `\r\n${sent}`.indexOf('\r\n.\r\n')
        const content = sent.slice(0, endsAt)
        const found = scanned(cutAt(sent, at), new DataScan())
        assert.deepEqual(found, {
          content,
          rest: sent.slice(endsAt + '.\r\n'.length),
          fault: faultOf(content),
        })
      }),
      effort(5_000),
    )
  })

  it('find lines that are too long, whatever ends them', () => {
    fc.assert(
      fc.property(wire, cuts, fc.integer({ min: 1, max: 50 }), (text, at, lineMax) => {
        const rules = { mends: ['bare-newline', 'nul'], lineMax } as const
        const { rest, fault } = scanned(cutAt(`${text}\r\n.\r\n`, at), new DataScan(rules))
        const content = `${text}\r\n.\r\n`.slice(0, -rest.length || undefined)
        const isLong = content.split(/[\r\n]/).some((line) => line.length > lineMax)
        assert.equal(fault === 'long-line', isLong)
      }),
      effort(3_000),
    )
  })

  it('write again what they are to mend, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(wire, cuts, (text, at) => {
        const mendedOf = (pieces: readonly Buffer[]) => {
          const mender = new Mender('line-start')
          return Buffer.concat(pieces.map((piece) => mender.push([piece]))).toString('latin1')
        }
        const singly = [...Buffer.from(text, 'latin1')].map((byte) => Buffer.from([byte]))
        assert.equal(mendedOf(cutAt(text, at)), mendedOf(singly))
      }),
      effort(3_000),
    )
  })

  it('have room for whatever comes', () => {
    for (const length of [70_000, 300_000, 2_000_000]) {
      assert.equal(lay(Buffer.alloc(length)), length - 19)
      const mended = new Mender('in-line').push([Buffer.alloc(length, '\n')])
      assert.deepEqual(mended, Buffer.alloc(2 * length, '\r\n'))
    }
  })
})

function faultOf(content: string): string | null {
  if (/\r(?!\n)|(?<!\r)\n/.test(content)) return 'bare-newline'
  return content.includes('\0') ? 'nul' : null
}

function cutAt(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1')
  const borders = [0, ...places.toSorted((one, other) => one - other), bytes.length]
  return borders.slice(1).map((to, index) => bytes.subarray(borders[index], to))
}

interface Found {
  readonly content: string
  readonly rest: string
  readonly fault: string | null
}

function scanned(pieces: readonly Buffer[], scan: DataScan): Found {
  const content: Buffer[] = []
  for (const [index, piece] of pieces.entries()) {
    const { content: own, rest } = scan.push(piece)
    content.push(...own)
    if (rest === null) continue
    const after = Buffer.concat([rest, ...pieces.slice(index + 1)])
    return { content: text(content), rest: after.toString('latin1'), fault: scan.fault }
  }
  return { content: text(content), rest: '', fault: scan.fault }
}

function text(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString('latin1')
}
