/** The catalogue, A by policy: what [data] says becomes of content that is not as it should be. */
import assert from 'node:assert/strict'
import { type Check, inData, playAll, type Row, raw } from './lines.ts'

const lfOnly = 'Subject: LF\n\nall\n.\n..\nof it\r\n.\r\n'
const mended = 'Subject: LF\r\n\r\nall\r\n..\r\n...\r\nof it\r\n'

/** @param arrives How the message ends as it arrives; null when it does not. */
function row(
  about: string,
  message: string,
  reply: string,
  arrives: string | null,
  from?: string,
): Row {
  const check: Check = ({ backend, proxy }) => {
    const last = backend.messages.at(-1)?.toString('latin1') ?? ''
    if (arrives === null) assert.equal(backend.messages.length, 0)
    else assert.ok(last.endsWith(arrives), JSON.stringify(last))
    assert.equal(proxy.app.log.counts['our-fault'], 0)
  }
  const steps = [...inData, [raw(message), reply] as const, ['NOOP', '250 '] as const]
  return { id: 'A27', about, steps, check, ...(from === undefined ? {} : { from }) }
}

playAll('by default', [
  row('LF for CR LF is refused', lfOnly, '550 5.5.2', null),
  row('so is a NUL', 'a\0b\r\n.\r\n', '550 5.6.0', null),
  row('a long line is not', `${'x'.repeat(5_000)}\r\n.\r\n`, '250 ', `${'x'.repeat(5_000)}\r\n`),
])

playAll(
  'normalized',
  [
    row('LF for CR LF', lfOnly, '250 ', mended),
    {
      ...row('and told, once for each message', 'a\nb\nc\r\n.\r\n', '250 ', 'a\r\nb\r\nc\r\n'),
      check: ({ proxy }) => assert.equal(proxy.app.log.counts['content.faulty'], 2),
    },
    row('a NUL is still refused', 'a\n\0b\r\n.\r\n', '550 5.6.0', 'c\r\n'),
    {
      ...row('the log says what was mended and what was refused', 'a\nb\r\n.\r\n', '250 ', null),
      check: ({ proxy }) =>
        assert.deepEqual(
          proxy.events.flatMap(({ fields }) => ('mended' in fields ? [fields] : [])),
          [
            { client: '198.18.0.1', fault: 'bare-newline', mended: true },
            { client: '198.18.1.1', fault: 'bare-newline', mended: true },
            { client: '198.18.2.1', fault: 'nul', mended: false },
            { client: '198.18.3.1', fault: 'bare-newline', mended: true },
          ],
        ),
    },
  ],
  { proxy: { config: 'data.bare_newline = "normalize"' } },
)

playAll(
  'replaced, and long lines refused',
  [
    row('a NUL', 'a\0b\r\n.\r\n', '250 ', 'a b\r\n'),
    row('998 bytes', `${'x'.repeat(998)}\r\n.\r\n`, '250 ', `${'x'.repeat(998)}\r\n`),
    row('999 bytes', `${'y'.repeat(999)}\r\n.\r\n`, '550 5.6.0', `${'x'.repeat(998)}\r\n`),
    row('a bare newline is still refused', 'z\nz\r\n.\r\n', '550 5.5.2', `${'x'.repeat(998)}\r\n`),
  ],
  { proxy: { config: 'data.nul = "replace"\ndata.long_lines = "reject"' } },
)

playAll(
  'exempt networks',
  [
    row('others are refused', lfOnly, '550 5.5.2', null),
    row('one that knows no better is not: mended', lfOnly, '250 ', mended, '192.0.2.7'),
    row(
      'nor for NULs and long lines',
      `\0${'x'.repeat(2_000)}\n.\r\n.\r\n`,
      '250 ',
      'x\r\n..\r\n',
      '2001:db8::7',
    ),
  ],
  {
    proxy: {
      config: 'data.exempt = ["192.0.2.0/29", "2001:db8::/32"]\ndata.long_lines = "reject"',
    },
  },
)
