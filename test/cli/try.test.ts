/** treacle try: one connection played through, with nobody waiting. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { InputError } from '../../src/cli/read-lines.ts'
import { type Trial, trialText, tryOne } from '../../src/cli/try.ts'
import { readConfig, shippedFolder } from '../../src/config/files.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { fakeDns } from '../helpers/fake-dns.ts'

const settings = { config: readConfig(null, {}), file: null, folder: shippedFolder }

function play(trial: Partial<Trial>) {
  const usual = {
    ip: '192.0.2.1',
    helo: 'mail.example.org',
    from: 'a@example.org',
    to: ['b@d.example'],
  }
  const rest = { ptr: null, unconfirmed: false, offline: false, settings, dns: fakeDns() }
  return tryOne({ ...usual, ...rest, ...trial }, new FakeClock())
}

describe('treacle try', () => {
  it('serves a clean client at once', async () => {
    const dns = fakeDns({
      ptr: { '192.0.2.1': ['mail.example.org'] },
      a: { 'mail.example.org': ['192.0.2.1'] },
    })
    const report = await play({ dns })
    assert.deepEqual([report.opinion.delayMs, report.ledger.entries], [0, []])
    assert.equal(report.ledger.hostname, 'mail.example.org')
    const page = trialText(report).join('\n')
    assert.match(page, /^ {2}asked {4}PTR 192\.0\.2\.1 +mail\.example\.org {2}\(0 ms\)$/m)
    assert.match(page, /^ {2}sum {6}nothing speaks against this client$/m)
    assert.match(page, /^ {2}RCPT {5}answered at once$/m)
  })

  it('shows findings, weights and the delay of one that is not', async () => {
    const report = await play({ helo: 'box', ptr: 'mail.example.org' })
    const [entry] = report.ledger.entries
    assert.equal(entry?.observed, true)
    assert.equal(entry?.waitedMs, 0)
    assert.deepEqual(
      entry?.reasons.map(({ name, weight }) => [name, weight]),
      [['unqual-helo', settings.config.reasons['unqual-helo'].weight]],
    )
    assert.ok((entry?.plannedMs ?? 0) >= settings.config.delay.target.shortestMs)
    const page = trialText(report).join('\n')
    assert.match(page, /^ {2}found {4}at helo {6}unqual-helo +weight 10 {2}HELO box is not/m)
    assert.match(page, /^ {2}RCPT {5}TO:<b@d\.example> answered after (.*) of \1$/m)
  })

  it('believes what it is told of the name, and asks for the rest', async () => {
    const dns = fakeDns({ ptr: { '192.0.2.1': ['other.example'] } })
    const told = await play({ ptr: 'Mail.Example.Org', dns })
    assert.equal(told.ledger.hostname, 'mail.example.org')
    assert.ok(!dns.asked.includes('PTR 192.0.2.1'))
    const none = await play({ ptr: '' })
    assert.ok(none.ledger.findings.some(({ reason }) => reason === 'botnet-nordns'))
    const elsewhere = await play({ ptr: 'mail.example.org', unconfirmed: true })
    assert.ok(elsewhere.ledger.findings.some(({ reason }) => reason === 'botnet-baddns'))
    assert.equal(elsewhere.ledger.hostname, '')
  })

  it('says which recipients are not ours to take', async () => {
    const { config } = settings
    const backend = { ...config.backend, recipient_domains: ['d.example'] }
    const ours = { ...settings, config: { ...config, backend } }
    const to = ['b@d.example', 'c@other.example']
    const refused =
      /^ {2}RCPT {5}TO:<(.*)> is then refused: 550 5\.7\.1 We do not relay to that domain$/gm
    for (const helo of ['mail.example.org', 'box']) {
      const report = await play({ settings: ours, helo, ptr: 'mail.example.org', to })
      const found = [...trialText(report).join('\n').matchAll(refused)]
      assert.deepEqual(
        found.map(([, address]) => address),
        ['c@other.example'],
      )
    }
  })

  it('asks nobody when told so', async () => {
    const { lookUps } = await tryOne(
      {
        ...{ ip: '192.0.2.1', helo: 'mail.example.org', from: null, to: [], ptr: null },
        ...{ unconfirmed: false, offline: true, settings },
      },
      new FakeClock(),
    )
    assert.ok(lookUps.length > 0)
    assert.ok(lookUps.every(({ answer }) => answer.kind === 'unavailable'))
  })

  it('keeps the keys of paid lists to itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'treacle-try-'))
    after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'treacle.toml')
    const zone = 'abcdefghijklmnopqrstuvwxyz.pbl.dq.spamhaus.net'
    writeFileSync(file, `[reasons.sorbs-dul]\nzone = "${zone}"\n`)
    const config = readConfig(file, {})
    const { lookUps } = await play({ settings: { config, file, folder } })
    const asked = lookUps.map(({ name }) => name).filter((name) => name.endsWith('spamhaus.net'))
    assert.deepEqual(asked, ['1.2.0.192.….pbl.dq.spamhaus.net'])
  })

  it('says what is wrong with an address', async () => {
    await assert.rejects(play({ ip: '192.0.2' }), (error) => {
      assert.ok(error instanceof InputError)
      assert.equal(
        error.message,
        '--ip 192.0.2: expected an address such as 192.0.2.1 or 2001:db8::1',
      )
      return true
    })
  })
})
