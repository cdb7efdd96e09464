/** Whatever strangers send: never a throw that is not meant, never another answer for another chunking. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromXtext, toXtext } from '../../src/core/envelope.ts'
import { HeaderFilter } from '../../src/relay/header-filter.ts'
import { ProtocolError, ReplyReader } from '../../src/relay/reply-reader.ts'
import { parseHelo, parseMail, parseRcpt } from '../../src/smtp/command.ts'
import { DataScan } from '../../src/smtp/data-scan.ts'
import { effort } from './effort.ts'

/** Bytes that are near what matters, and where to cut them. */
function textOf(...tokens: readonly string[]) {
  const token = fc.oneof(fc.constantFrom(...tokens), fc.string({ maxLength: 5 }))
  const bytes = fc
    .array(token, { maxLength: 30 })
    .map((parts) => Buffer.from(parts.join(''), 'latin1'))
  return fc.tuple(bytes, fc.array(fc.nat(200), { maxLength: 12 })).map(([whole, cuts]) => {
    const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length]
    const points = at.sort((a, b) => a - b)
    return { whole, pieces: points.slice(1).map((to, index) => whole.subarray(points[index], to)) }
  })
}

function check<T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void, numRuns = 3_000): void {
  fc.assert(fc.property(arbitrary, holds), effort(numRuns))
}

describe('whatever comes', () => {
  it('the scan for the end of a message does as a naive one', () => {
    check(textOf('\r\n', '.', '\r', '\n', '\0', '\r\n.\r\n', '..', 'x'), ({ whole, pieces }) => {
      const scan = new DataScan()
      const content: Buffer[] = []
      let rest: Buffer | null = null
      for (const piece of pieces) {
        if (rest !== null) rest = Buffer.concat([rest, piece])
        else {
          const scanned = scan.push(piece)
          content.push(...scanned.content)
          rest = scanned.rest
        }
      }
      const naive = naiveScan(whole.toString('latin1'))
      assert.equal(rest?.toString('latin1') ?? null, naive.rest)
      assert.equal(scan.fault !== null, naive.faulty)
      const passed = Buffer.concat(content).toString('latin1')
      if (naive.rest !== null) assert.equal(passed, naive.content)
      else assert.match(naive.content.slice(passed.length), /^(?:\.\r?)?$/)
      assert.ok(naive.content.startsWith(passed))
    })
  })

  it('the header filter does as a naive one', () => {
    const tokens = [
      '\r\n',
      'X-HELO-warning',
      'x-treacle-',
      ':',
      ' ',
      '\t',
      '\v',
      '\f',
      '.',
      'Received',
      'text',
    ]
    const message = textOf(...tokens, 'Subject: x\r\n', 'X-Treacle-A: forged\r\n', 'A'.repeat(130))
    check(message, ({ whole, pieces }) => {
      const filter = new HeaderFilter()
      const passed = pieces.flatMap((piece) => filter.push(piece))
      const text = Buffer.concat([...passed, filter.end()]).toString('latin1')
      assert.equal(text, naiveFilter(whole.toString('latin1')))
    })
  })

  it('the reply reader throws nothing but a ProtocolError, and chunks make no difference', () => {
    const bytes = textOf('250', '-', ' ', '\r\n', '\r', '\n', '5.1.1', '550 no\r\n', '250-a\r\n')
    check(bytes, ({ whole, pieces }) => {
      const once = read([whole])
      assert.deepEqual(read(pieces), once)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      for (const line of once.lines) assert.doesNotMatch(line, /[\x00-\x08\x0a-\x1f\x7f]/)
    })
  })

  it('no command makes the parser throw, and no control character gets into an envelope', () => {
    const tokens = ['<', '>', '@', '"', '\\', ' ', ':', 'a', 'example.org', '[127.0.0.1]', ';']
    const parameters = [
      ' SIZE=1',
      ' AUTH=<>',
      ' ORCPT=rfc822;a+0D',
      ' ENVID=+0A',
      '\r\n',
      '\0',
      ',',
    ]
    const offered = {
      size: true,
      eightBitMime: true,
      smtputf8: true,
      dsn: true,
      requireTls: true,
    }
    const text = fc
      .array(fc.oneof(fc.constantFrom(...tokens, ...parameters), fc.string({ unit: 'binary' })))
      .map((parts) => parts.join(''))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    const controls = /[\x00-\x1f\x7f-\x9f]/
    check(fc.tuple(text, fc.boolean()), ([given, utf8]) => {
      const mail = parseMail(`MAIL FROM:<${given}${utf8 ? ' SMTPUTF8' : ''}`, offered)
      const rcpt = parseRcpt(`RCPT TO:<${given}`, offered, utf8)
      const helo = parseHelo(`EHLO ${given}`)
      if ('value' in mail) assert.doesNotMatch(mail.value.address, controls)
      if ('value' in rcpt) assert.doesNotMatch(JSON.stringify(rcpt.value), controls)
      if ('value' in helo) assert.doesNotMatch(helo.value, controls)
    })
  })

  it('xtext comes back as it was, in printable ASCII, and hides no control character', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    const controls = /[\x00-\x1f\x7f]/
    check(fc.string({ unit: 'grapheme' }), (text) => {
      const xtext = toXtext(text)
      assert.match(xtext, /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/)
      assert.equal(fromXtext(xtext), controls.test(text) ? null : text)
    })
    check(
      fc.string({ unit: fc.constantFrom('+', '0', 'A', 'D', 'a', ' ', '=', '\0') }),
      (given) => {
        assert.doesNotMatch(fromXtext(given) ?? '', controls)
      },
    )
  })
})

/** The rules as they are written down, without regard for speed or chunks. */
function naiveScan(text: string): { content: string; rest: string | null; faulty: boolean } {
  const end = `\r\n${text}`.indexOf('\r\n.\r\n')
  const content = end === -1 ? text : text.slice(0, end)
  // A CR that nothing follows yet may still be half of a line end.
  const judged = (end === -1 ? text.replace(/\r$/, '') : text.slice(0, end + 3)).replaceAll(
    '\r\n',
    '',
  )
  return { content, rest: end === -1 ? null : text.slice(end + 3), faulty: /[\r\n\0]/.test(judged) }
}

/** Leaves out our fields up to the first empty line; the back end takes off a dot that begins a line. */
function naiveFilter(message: string): string {
  if (/^\.?[ \t]/.test(message)) return `\r\n${message}`
  const lines = message.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const end = lines.findIndex((line) => /^\.?\r?\n$/.test(line))
  const header = end === -1 ? lines : lines.slice(0, end)
  let dropping = false
  let passed = ''
  for (const line of header) {
    if (!/^\.?[ \t]/.test(line)) dropping = isForged(line.replace(/^\./, ''))
    passed += dropping ? '' : line
  }
  return passed + lines.slice(header.length).join('')
}

/** Only so much is looked at; where the message ends sooner, nobody could take it for a field. */
function isForged(line: string): boolean {
  const start = line.slice(0, 128)
  const [, name = ''] = /^([!-9;-~\x80-\xff]+)[ \t\v\f]*(?:[:\r\n]|$)/.exec(start) ?? []
  if (start.length < 128 && !/[:\r\n]/.test(start)) return false
  return /^(?:x-helo-warning|x-helo-dubious|x-treacle-.*)$/is.test(name)
}

function read(pieces: readonly Buffer[]): { lines: string[]; failed: boolean } {
  const reader = new ReplyReader()
  const lines: string[] = []
  try {
    for (const piece of pieces) reader.push(piece, (reply) => lines.push(...reply.lines))
    return { lines, failed: false }
  } catch (error) {
    assert.ok(error instanceof ProtocolError)
    return { lines, failed: true }
  }
}
