/** The main log: the lines of the recipe in Exim's own form, read by Exim's own tools. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startDns } from './servers/dns.ts'
import { type Exim, startExim } from './servers/exim.ts'
import { findCommand } from './servers/installed.ts'
import { run } from './servers/process.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle } from './servers/treacle.ts'

const stamp = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`

describe('the main log', { timeout: 120_000 }, () => {
  const stack = new AsyncDisposableStack()
  let folder: string
  let backend: Exim
  let mainlog: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'treacle-mainlog-test-'))
    stack.defer(() => rm(folder, { recursive: true }))
    const dns = stack.use(
      await startDns({
        zones: {
          'isp.example': ['dsl-30.pool A 192.0.2.30'],
          '2.0.192.in-addr.arpa': ['30 PTR dsl-30.pool.isp.example.'],
        },
      }),
    )
    backend = stack.use(await startExim())
    const treacle = stack.use(
      await startTreacle({
        config: `
          listen.proxy_protocol_from = ["127.0.0.1"]
          backend.addresses = ["127.0.0.1:${backend.port}"]
          backend.recipient_domains = ["example.net"]
          delay.target = ["1200ms", "1200ms"]
          dns.servers = ["${dns.address}"]`,
      }),
    )
    await Promise.all([
      visit(treacle.address, '192.0.2.30', 'MarineGuy', 'user@example.net'),
      visit(treacle.address, '192.0.2.10', 'mail.client.example', 'user@example.net'),
      visit(treacle.address, '2001:db8::9', 'localhost', 'nobody@example.net'),
      leave(treacle.address, '61.78.92.162', 'MarineGuy', 'user@example.net'),
    ])
    await treacle.waitForLedgers(4)
    await treacle.stop()
    mainlog = await treacle.mainlog()
  })
  after(() => stack.disposeAsync())

  it('has exactly these lines', () => {
    const lines = mainlog.trimEnd().split('\n')
    for (const line of lines) assert.match(line, new RegExp(`^${stamp} `))
    const texts = lines.map((line) => line.slice('2026-11-22 11:07:23 '.length)).sort()
    const left = texts.pop() ?? ''
    const why = 'Warning: Treacle: '
    assert.deepEqual(texts, [
      `H=(MarineGuy) [61.78.92.162] ${why}61.78.92.162 () - reason: unqual-helo - sender is a@client.example - for user@example.net - delay was 1 secs`,
      `H=(localhost) [2001:db8::9] ${why}2001:db8::9 () - reason: unqual-helo - sender is a@client.example - for nobody@example.net - delay was 1 secs`,
      `H=dsl-30.pool.isp.example (MarineGuy) [192.0.2.30] ${why}192.0.2.30 (dsl-30.pool.isp.example) - reason: unqual-helo hostname-dsl-or-dialup - sender is a@client.example - for user@example.net - delay was 1 secs`,
    ])
    const stage = 'unexpected disconnection while reading SMTP command from '
    assert.ok(left.startsWith(`${stage}(MarineGuy) [61.78.92.162] D=`), left)
    assert.match(left, /D=\d\.\d{3}s$/)
    const ofTheLeft = lines.filter((line) => line.includes('[61.78.92.162]'))
    assert.match(ofTheLeft.at(0) ?? '', /Warning: Treacle/)
    assert.match(ofTheLeft.at(1) ?? '', /unexpected disconnection/)
  })

  it('is read by exigrep', async (t) => {
    const exigrep = findCommand('exigrep')
    if (exigrep === undefined) return t.skip('no exigrep on this machine')
    const file = await writeLog('exigrep.log', mainlog)
    const one = await run(exigrep, ['61\\.78\\.92\\.162', file], { timeoutMs: 10_000 })
    assert.equal(one.code, 0, one.output)
    const expected = mainlog.split('\n').filter((line) => line.includes('[61.78.92.162]'))
    const found = one.output.split('\n').filter((line) => line !== '')
    assert.deepEqual(found, expected)
    const all = await run(exigrep, ['delay was', file], { timeoutMs: 10_000 })
    assert.equal(all.output.match(/delay was/g)?.length, 3)
  })

  it('does not disturb eximstats in the log of an Exim', async (t) => {
    const eximstats = findCommand('eximstats')
    if (eximstats === undefined) return t.skip('no eximstats on this machine')
    const own = await backend.log()
    const mixed = [...own.split('\n'), ...mainlog.split('\n')].filter((line) => line !== '').sort()
    const reports = [
      { name: 'exim.log', text: own },
      { name: 'mixed.log', text: `${mixed.join('\n')}\n` },
    ].map(async ({ name, text }) => {
      const file = await writeLog(name, text)
      const { code, output } = await run(eximstats, ['-txt', file], { timeoutMs: 10_000 })
      assert.equal(code, 0, output)
      assert.match(output, /^Exim statistics from \d{4}/m)
      assert.doesNotMatch(output, /uninitialized|unrecogni[sz]ed|\bat \S+ line \d+/i)
      return output
    })
    const [alone = '', both = ''] = await Promise.all(reports)
    const totals = /^ +(?:Received|Delivered) .*$/gm
    assert.deepEqual(both.match(totals), alone.match(totals))
    assert.ok((alone.match(totals)?.length ?? 0) >= 1, alone)
  })

  async function writeLog(name: string, text: string): Promise<string> {
    const file = join(folder, name)
    await writeFile(file, text)
    return file
  }
})

async function visit(address: string, from: string, helo: string, to: string): Promise<void> {
  using client = await Talk.to(address, from)
  await client.opens(helo)
  const { code } = await client.gives(to)
  if (code === 250) assert.equal((await client.sends('Subject: hello\n\nhello\n')).code, 250)
  await client.quits()
}

/** Hangs up while it is kept waiting. */
async function leave(address: string, from: string, helo: string, to: string): Promise<void> {
  using client = await Talk.to(address, from)
  await client.opens(helo)
  await client.asks('MAIL FROM:<a@client.example>')
  client.says(`RCPT TO:<${to}>`)
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(client.unread, '')
}
