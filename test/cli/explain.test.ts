/** treacle explain: ledgers and main-log lines in words. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { explain, type Question } from '../../src/cli/explain.ts'
import { offlineJudge } from '../../src/cli/replay.ts'
import { readConfig, shippedFolder } from '../../src/config/files.ts'
import { delayedLine, leftLine } from '../../src/observe/mainlog.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'treacle-explain-'))
after(() => rmSync(folder, { recursive: true }))
const settings = { config: readConfig(null, {}), file: null, folder: shippedFolder }
const judge = offlineJudge(settings, new FakeClock())

const ledger = {
  ...{ level: 'info', time: '2026-01-31T12:02:00.000Z', event: 'connection', id: 'c1' },
  ...{ startedAt: '2026-01-31T12:00:00.000Z', client: '192.0.2.1', port: 4321 },
  ...{ hostname: 'm.example', helo: 'bo\x1bx', protocol: 'ESMTP', login: '', lookupCount: 3 },
  findings: [
    {
      ...{
        reason: 'unqual-helo',
        stage: 'helo',
        evidence: 'HELO box',
        action: 'delay',
        weight: 10,
      },
      ...{ excuses: [], header: null },
    },
    {
      ...{ reason: 'botnet-serverwords', stage: 'connect', evidence: 'mail', action: 'delay' },
      ...{ weight: 10, excuses: ['botnet-client'], header: null },
    },
  ],
  entries: [
    {
      stage: 'rcpt',
      reasons: [{ name: 'unqual-helo', evidence: 'HELO box', weight: 10 }],
      excuses: [],
      ...{ targetMs: 90_000, lookupMs: 2_000, plannedMs: 88_000, waitedMs: 31_000 },
      ...{ reaction: 'left', observed: false },
    },
  ],
  transactions: [
    {
      sender: 'a@b.example',
      recipients: [{ address: 'c@d.example', reply: '250 ok' }],
      bytes: 0,
      reply: '',
    },
  ],
  ...{ outcome: 'left', reason: '', durationMs: 36_000 },
}

async function explained(lines: readonly string[], question: Partial<Question> = {}) {
  const file = join(folder, 'log')
  writeFileSync(file, lines.join('\n'))
  const printed: string[] = []
  const all = { file, id: null, client: null, ...question }
  const outcome = await explain(all, judge, (line) => printed.push(line))
  return { ...outcome, printed }
}

describe('treacle explain', () => {
  it('tells a ledger in words', async () => {
    const { printed } = await explained([JSON.stringify(ledger)])
    assert.deepEqual(printed, [
      '2026-01-31T12:00:00.000Z  192.0.2.1 port 4321  connection c1',
      '  name     m.example',
      '  HELO     bo\\x1bx',
      '  spoke    ESMTP',
      '  found    at helo      unqual-helo              weight 10  HELO box',
      '  excuse   at connect   botnet-serverwords       takes 10   mail',
      '  RCPT     delayed for unqual-helo 10, 10 in all',
      '           whole delay 1 m 30 s; look-ups took 2 s, left to wait 1 m 28 s; it hung up after 31 s',
      '  MAIL     FROM:<a@b.example>',
      '  RCPT     TO:<c@d.example>: 250 ok',
      '  end      it hung up while it was kept waiting, after 36 s, 3 questions to the DNS',
    ])
  })

  it('says when the address was that of something which hides many', async () => {
    const { printed } = await explained([JSON.stringify({ ...ledger, addressHidden: true })])
    assert.equal(printed[1], '  address  hides many clients (the guard); it was not judged by it')
  })

  it('says how many recipients that were refused are not listed', async () => {
    const none = await explained([JSON.stringify(ledger)])
    assert.ok(!none.printed.some((line) => line.includes('not listed')))
    const { printed } = await explained([JSON.stringify({ ...ledger, notTakenCount: 1_234 })])
    assert.ok(printed.includes('  RCPT     1234 more that were refused and are not listed'))
  })

  it('reads the ledgers of a version that wrote less', async () => {
    const { findings: _, lookupCount: __, ...older } = ledger
    const entries = older.entries.map(({ excuses: ___, reasons, ...entry }) => ({
      ...entry,
      reasons: reasons.map(({ name, evidence }) => ({ name, evidence })),
    }))
    const { printed, bad } = await explained([JSON.stringify({ ...older, entries })])
    assert.deepEqual(bad, [])
    assert.ok(printed.includes('  RCPT     delayed for unqual-helo'))
  })

  it('picks by id and by client, among lines of all kinds', async () => {
    const lines = [
      '{"level":"info","event":"server.listening","address":"127.0.0.1:25"}',
      JSON.stringify(ledger),
      'not JSON',
      '',
      JSON.stringify({ ...ledger, id: 'c2', client: '192.0.2.2' }),
    ]
    const first = ({ printed }: { printed: string[] }) =>
      printed.filter((line) => !/^ |^$/.test(line))
    assert.equal(first(await explained(lines)).length, 2)
    assert.match(first(await explained(lines, { id: 'c2' }))[0] ?? '', /connection c2$/)
    assert.match(first(await explained(lines, { client: '192.0.2.1' }))[0] ?? '', /connection c1$/)
    const { connectionCount, otherCount } = await explained(lines, { id: 'c3' })
    assert.deepEqual({ connectionCount, otherCount }, { connectionCount: 0, otherCount: 2 })
  })

  it('says which lines it expected something else of', async () => {
    const { bad, connectionCount } = await explained(['{"event":"connection","id":3}', '{"ev'])
    assert.equal(connectionCount, 0)
    assert.deepEqual(
      bad.map(({ line, expected }) => `${line}: ${expected}`),
      [
        '1: the ledger of a connection (id: Invalid input: expected string, received number)',
        '2: one JSON object a line',
      ],
    )
  })

  it('explains our own main log, with evidence found again', async () => {
    const who = { client: '192.0.2.1', hostname: '', helo: 'box' }
    const delayed = delayedLine({
      ...who,
      ...{ reasons: ['unqual-helo', 'sorbs-dul'], sender: 'a@b.example' },
      ...{ recipient: 'c@d.example', plannedMs: 92_000 },
    })
    const left = leftLine({ ...who, connectedMs: 95_500 })
    const { printed } = await explained([
      `2026-01-31 12:00:00 ${delayed}`,
      '2026-01-31 12:00:00 1ahr79-0006jK-G9 Completed',
      `2026-01-31 12:01:35 ${left}`,
    ])
    assert.deepEqual(printed, [
      '2026-01-31 12:00:00  192.0.2.1',
      '  name     (none is known to lead back to the address)',
      '  HELO     box',
      '  RCPT     TO:<c@d.example> from <a@b.example>: delayed for unqual-helo sorbs-dul',
      '           planned 1 m 32 s; a main log does not tell what was waited',
      '  today    by the settings of today the line earns 100 % of the delay:',
      '  found    at helo      unqual-helo              weight 10  HELO box is not a qualified domain name',
      '           not found again: sorbs-dul',
      '',
      '2026-01-31 12:01:35  192.0.2.1 (box) hung up 1 m 35 s after it had come in',
    ])
  })

  it('explains a line of the recipe of 2004', async () => {
    const { printed } = await explained([
      '2004-03-02 11:07:23 H=(MarineGuy) [192.0.2.1] Warning: AJF-Dubious: 192.0.2.1 () - ' +
        'reason: unqual-helo - sender is a@b.example - for c@d.example - delay was XXX secs',
    ])
    assert.equal(printed[0], '2004-03-02 11:07:23  192.0.2.1')
    assert.ok(
      printed.includes('           delay not told; a main log does not tell what was waited'),
    )
  })
})
