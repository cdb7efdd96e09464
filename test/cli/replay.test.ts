/** treacle replay: what is counted, what is printed, what another configuration changes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { InputError } from '../../src/cli/read-lines.ts'
import { type ReplaySetup, replay, type Settings } from '../../src/cli/replay.ts'
import { replayText } from '../../src/cli/replay-text.ts'
import { readConfig } from '../../src/config/files.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { fakeDns } from '../helpers/fake-dns.ts'

const folder = mkdtempSync(join(tmpdir(), 'treacle-replay-'))
after(() => rmSync(folder, { recursive: true }))

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function settings(toml: string): Settings {
  const file = write(`${Buffer.from(toml).toString('hex').slice(0, 60)}.toml`, toml)
  return { config: readConfig(file, {}), file, folder }
}

/** The four of 2004 weigh what they weigh; the target is a point, so that sums can be told. */
const plain = settings('[delay]\ntarget = ["100s", "100s"]\n[reasons.unqual-helo]\nweight = 10\n')
const softer = settings(
  '[delay]\ntarget = ["100s", "100s"]\n[reasons.unqual-helo]\naction = "observe"\n' +
    '[reasons.helo-localhost]\naction = "off"\n',
)

const head = 'label\tsource\tip\trdns\trdns_state\thelo\tenv_domain\thop'
const rows = [
  'spam\told\t192.0.2.1\tmx.example.net\tname\tbox\texample.org\tfinal',
  'spam\told\t192.0.2.1\tmx.example.net\tname\tbox\texample.com\tfinal',
  'spam\tnew\t192.0.2.2\tmx.example.com\tname\tlocalhost\texample.org\tfinal',
  'ham\told\t198.51.100.1\tmail.example.org\tname\tmail.example.org\texample.org\tlist',
  'ham\told\t198.51.100.2\tmail.example.edu\tname\tbox\texample.edu\tlist',
]
const tsv = write('rows.tsv', [head, ...rows, 'ham\tbroken', ''].join('\n'))

function run(setup: Partial<ReplaySetup>) {
  const usual = {
    files: [tsv],
    format: null,
    settings: plain,
    other: null,
    live: false,
    label: null,
  }
  return replay({ ...usual, unknownAs: 'unknown', ...setup }, new FakeClock())
}

describe('treacle replay', () => {
  it('counts by label, by group and by distinct client', async () => {
    const { labels, groups, files } = await run({})
    assert.deepEqual(
      labels.map(({ label, all, delayed, whole, delayMs }) => ({
        label,
        all,
        delayed,
        whole,
        delayMs,
      })),
      [
        {
          label: 'ham',
          all: { connections: 2, clients: 2 },
          delayed: { connections: 1, clients: 1 },
          whole: { connections: 1, clients: 1 },
          delayMs: 100_000,
        },
        {
          label: 'spam',
          all: { connections: 3, clients: 2 },
          delayed: { connections: 3, clients: 2 },
          whole: { connections: 3, clients: 2 },
          delayMs: 300_000,
        },
      ],
    )
    assert.deepEqual(
      groups.map(({ label, source, hop, all }) => [label, source, hop, all.connections]),
      [
        ['ham', 'old', 'list', 2],
        ['spam', 'new', 'final', 1],
        ['spam', 'old', 'final', 2],
      ],
    )
    assert.deepEqual(files, [
      {
        ...{ file: tsv, format: 'tsv', lines: 7, connections: 5, bad: 1 },
        badLines: [{ line: 7, expected: '8 columns as in the first line, found 2 columns' }],
      },
    ])
  })

  it('tells of each reason what it found, alone and together, with first examples', async () => {
    const { labels } = await run({})
    const spam = labels.find(({ label }) => label === 'spam')
    const unqual = spam?.reasons.find(({ reason }) => reason === 'unqual-helo')
    assert.deepEqual(
      [unqual?.connections, unqual?.clients, unqual?.alone, unqual?.delayMs],
      [3, 2, 2, 300_000],
    )
    assert.deepEqual(unqual?.examples[0], {
      ...{ file: tsv, line: 2, client: '192.0.2.1', name: 'mx.example.net', nameState: 'verified' },
      ...{ helo: 'box', sender: '@example.org' },
      evidence: 'HELO box is not a qualified domain name',
    })
    assert.deepEqual(spam?.together, [
      { reasons: ['helo-localhost', 'unqual-helo'], connections: 1 },
    ])
    assert.deepEqual(spam?.byReasonCount, [0, 2, 1])
    assert.ok(
      spam?.reasons.some(({ reason, connections }) => reason === 'sorbs-dul' && connections === 0),
    )
  })

  it('lists what another configuration changes, honest senders newly delayed first', async () => {
    const { compare } = await run({ settings: softer, other: plain })
    assert.deepEqual(
      compare?.clients.map(({ label, change, connections, beforeMs, afterMs, example }) => ({
        ...{ label, change, connections, beforeMs, afterMs },
        evidence: example.evidence,
      })),
      [
        {
          ...{
            label: 'ham',
            change: 'newly delayed',
            connections: 1,
            beforeMs: 0,
            afterMs: 100_000,
          },
          evidence: 'unqual-helo counts 10 instead of 0',
        },
        {
          ...{
            label: 'spam',
            change: 'newly delayed',
            connections: 2,
            beforeMs: 0,
            afterMs: 100_000,
          },
          evidence: 'unqual-helo counts 10 instead of 0',
        },
        {
          ...{
            label: 'spam',
            change: 'newly delayed',
            connections: 1,
            beforeMs: 0,
            afterMs: 100_000,
          },
          evidence:
            'unqual-helo counts 10 instead of 0; + helo-localhost: ' +
            "HELO localhost is the client's own name for itself",
        },
      ],
    )
    const ham = compare?.totals.find(({ label }) => label === 'ham')
    assert.deepEqual(ham?.changes['newly delayed'], { connections: 1, clients: 1 })
    assert.equal(ham?.delayMs, 100_000)
  })

  it('writes down what is only observed, and makes nobody wait for it', async () => {
    const { labels } = await run({ settings: softer })
    const [ham] = labels
    const unqual = ham?.reasons.find(({ reason }) => reason === 'unqual-helo')
    assert.deepEqual(
      [unqual?.action, unqual?.connections, ham?.delayed.connections],
      ['observe', 1, 0],
    )
  })

  it('asks the DNS of today when told to, and only then', async () => {
    const dns = fakeDns({ ptr: { '192.0.2.1': ['dsl-1.example.net'] } })
    const recorded = await run({ dns })
    assert.deepEqual([recorded.dns, dns.asked.length], ['recorded', 0])
    const live = await run({ dns, live: true })
    assert.equal(live.dns, 'live')
    assert.ok(dns.asked.includes('PTR 192.0.2.1'))
    const spam = live.labels.find(({ label }) => label === 'spam')
    const word = spam?.reasons.find(({ reason }) => reason === 'hostname-dsl-or-dialup')
    assert.equal(word?.clients, 1)
  })

  it('counts names that were looked up in vain as none when told to', async () => {
    const file = write(
      'unknown.tsv',
      'label\tip\trdns_state\thelo\nspam\t192.0.2.1\tunknown\tm.example',
    )
    const nordns = async (unknownAs: 'unknown' | 'none') => {
      const { labels } = await run({ files: [file], unknownAs })
      return labels[0]?.reasons.find(({ reason }) => reason === 'botnet-nordns')?.connections
    }
    assert.deepEqual([await nordns('unknown'), await nordns('none')], [0, 1])
  })

  it('reckons with every recipient, up to the budget of a session', async () => {
    const line = (to: string) =>
      `2026-01-31 12:00:00 H=(box) [192.0.2.1] F=<a@b.example> rejected RCPT <${to}>: no`
    const log = ['postmaster', 'one', 'two', 'three'].map((name) => line(`${name}@d.example`))
    const { labels, files } = await run({ files: [write('main.log', log.join('\n'))] })
    assert.equal(files[0]?.format, 'exim')
    // Nothing for postmaster alone, then 100 s, 100 s, and what is left of 4 min 30 s.
    assert.deepEqual([labels[0]?.label, labels[0]?.delayMs], ['refused', 270_000])
  })

  it('gives all one label when told to', async () => {
    const { labels } = await run({ label: 'ham' })
    assert.deepEqual(
      labels.map(({ label, all }) => [label, all.connections]),
      [['ham', 5]],
    )
  })

  it('reads several files, packed ones too', async () => {
    const packed = write('packed', gzipSync([head, ...rows].join('\n')))
    const { labels, files } = await run({ files: [tsv, packed] })
    assert.deepEqual(
      files.map(({ connections }) => connections),
      [5, 5],
    )
    const spam = labels.find(({ label }) => label === 'spam')
    assert.deepEqual(spam?.all, { connections: 6, clients: 2 })
  })

  it('prints it all', async () => {
    const text = replayText(await run({ settings: softer, other: plain }), { shown: 1 })
    const page = text.join('\n')
    assert.match(
      page,
      /rows\.tsv: TSV, 7 lines, 5 connections; 1 lines could not be read:\n {2}line 7: /,
    )
    assert.match(page, /^spam +3 +0 +0\.0 %/m)
    assert.match(page, /^unqual-helo \(observe\) +3 +100\.0 % +2 +100\.0 %/m)
    assert.match(
      page,
      /Honest senders \(ham\), newly delayed:\n {2}0 s -> 1 m 40 s {2}line 6: 198\.51\.100\.2/,
    )
    assert.match(page, /and 2 more clients; --show N lists more$/)
  })

  it('escapes what strangers wrote', async () => {
    const file = write('escape.tsv', `${head}\nspam\t\t192.0.2.1\t\tnone\tb\x1b[2Jx\t\t`)
    const page = replayText(await run({ files: [file] }), { shown: 1 }).join('\n')
    assert.ok(page.includes('HELO b\\x1b[2Jx'))
    assert.ok(!page.includes('\x1b'))
  })

  const unreadable = [
    { file: join(folder, 'missing.tsv'), says: /missing\.tsv: no such file; expected a TSV file/ },
    { file: folder, says: /is a folder; name the files in it/ },
    {
      file: write('prose.txt', 'Dear all,\n'),
      says: /prose\.txt: of no known format; .*--format tsv/,
    },
    {
      file: write('broken.gz', gzipSync(`${head}\n${rows.join('\n')}`).subarray(0, 40)),
      says: /broken\.gz: is damaged as a gzip file/,
    },
  ]
  for (const { file, says } of unreadable) {
    it(`says what is wrong with a file: ${says.source}`, async () => {
      await assert.rejects(run({ files: [file] }), (error) => {
        assert.ok(error instanceof InputError)
        assert.match(error.message, says)
        return true
      })
    })
  }

  it('takes an empty file for one without connections', async () => {
    const { labels, files } = await run({ files: [write('empty', '')] })
    assert.deepEqual([labels, files[0]?.format], [[], null])
  })
})
