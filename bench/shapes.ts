/**
 * What is sent through a server to see what a megabyte of it costs: plain mail, and the worst that a client can
 * send instead.
 */

export interface Shape {
  readonly name: string
  /** What is said after EHLO, each line waited for unless it is said in one go. */
  readonly commands: readonly string[]
  /** What follows 354; null: there is no message. */
  readonly content: Buffer | null
  /** How many bytes at a time; all at once unless given. */
  readonly pieces?: number
  /** How often, on a connection each. */
  readonly times: number
  readonly normalizing?: boolean
  /** How many bytes in each record, where it is sent under TLS; in few segments then. */
  readonly records?: number
  /** The reply at the end. */
  readonly end: RegExp
  /** What it is compared with: plain mail of the same size. */
  readonly beside: string
}

const text = 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(3)
const head = 'From: <a@example.org>\r\nTo: <b@example.org>\r\nSubject: x\r\n'
const envelope = ['MAIL FROM:<a@example.org>', 'RCPT TO:<rcpt0@example.org>', 'DATA']

const plain = 'plain mail of 5 MB'
const one = 'plain mail of 1 MB'
const quarter = 'plain mail of 250 kB'
const secured = 'plain mail of 5 MB under TLS'
const small = 'plain mail of 4 kB, a connection each'
const recipients = Array.from({ length: 1_000 }, (_, at) => `RCPT TO:<rcpt${at}@example.org>`)
const toMany = [...envelope.slice(0, 1), ...recipients, ...envelope.slice(-1)]
const plainLine = `${text.slice(0, 76)}\r\n`

/** @returns A message of so many bytes, one line again and again. */
function linesOf(line: string, bytes: number): Buffer {
  return message('', line.repeat(bytes / line.length))
}

function message(header: string, body: string): Buffer {
  return Buffer.from(`${head}${header}\r\n${body}\r\n.\r\n`, 'latin1')
}

function mail(name: string, content: Buffer, more: Partial<Shape> = {}): Shape {
  return { name, commands: envelope, content, times: 6, end: /^250 /, beside: plain, ...more }
}

/** @param mega How many bytes are taken for a megabyte; fewer where it must be quick. */
export function shapesOf(mega: number): readonly Shape[] {
  const lines = (line: string) => linesOf(line, 5 * mega)
  const header = (name: string, line: string) =>
    mail(name, message(line.repeat(mega / line.length), 'x'), { times: 20, beside: one })
  return [
    mail(plain, lines(plainLine)),
    mail('every line begins with a dot', lines(`..${text.slice(0, 74)}\r\n`)),
    mail('lines that are only a dot', lines('..\r\n')),
    mail('empty lines', lines('\r\n')),
    mail('lines of one letter', lines('a\r\n')),
    mail('a line without end', lines('x')),
    mail('tabs', lines('\t')),
    mail('bare LF (refused)', lines('\n'), { end: /^550 5\.5\.2/ }),
    mail('bare CR (refused)', lines('\r'), { end: /^550 5\.5\.2/ }),
    mail('NUL (refused)', lines('\0'), { end: /^550 5\.6\.0/ }),
    mail('LF for CR LF (normalized)', lines(`${text.slice(0, 77)}\n`), { normalizing: true }),
    mail('bare LF (normalized)', lines('\n'), { normalizing: true }),
    mail('bare CR (normalized)', lines('\r'), { normalizing: true }),
    mail('NUL (replaced)', lines('\0'), { normalizing: true }),
    mail('dots between bare LF (normalized)', lines('\n.'), { normalizing: true }),
    mail(
      '10,000 header lines',
      message(
        `X-Some-Header: ${text.slice(0, 85)}\r\n`.repeat(mega / 100),
        plainLine.repeat(mega / 20),
      ),
    ),
    mail('Received again and again (refused)', message('Received:\r\n'.repeat(mega / 4), ''), {
      end: /^554 5\.4\.6/,
    }),
    mail(one, linesOf(plainLine, mega), { times: 20, beside: one }),
    header('a header of one-letter lines', 'a:\r\n'),
    header('a header folded again and again', ' \r\n'),
    header('a header of forged lines', 'x-treacle-a:\r\n'),
    header('every other header line forged', 'x-treacle-:\r\na:\r\n'),
    mail(quarter, linesOf(plainLine, mega / 4), { times: 40, beside: quarter }),
    mail('segments of one byte', linesOf(plainLine, mega / 4), {
      pieces: 1,
      times: 2,
      beside: quarter,
    }),
    mail(secured, lines(plainLine), { records: 16_384, beside: secured }),
    mail('TLS records of 1,000 bytes', lines(plainLine), { records: 1_000, beside: secured }),
    mail('TLS records of one line', linesOf(plainLine, mega), {
      records: plainLine.length,
      beside: secured,
    }),
    mail('TLS records of one byte', linesOf(plainLine, mega / 10), {
      records: 1,
      times: 2,
      beside: secured,
    }),
    mail('1,000 recipients of 5 MB', lines(plainLine), { commands: toMany, times: 2 }),
    mail('NOOP again and again (closed)', Buffer.from('NOOP\r\n'.repeat(mega / 6)), {
      commands: [],
      end: /^421 /,
      times: 20,
      beside: quarter,
    }),
    mail(small, linesOf(plainLine, 4_000), { times: 200, beside: small }),
    mail('1,000 recipients of 4 kB', linesOf(plainLine, 4_000), {
      commands: toMany,
      times: 5,
      beside: small,
    }),
    mail('segments of 64 bytes', linesOf(plainLine, 2 * mega), { pieces: 64 }),
  ]
}
