/** The lines of Flavell's recipe, letter for letter, and the file they go to. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { Delayed, Left } from '../../src/observe/events.ts'
import { Log } from '../../src/observe/log.ts'
import { delayedLine, leftLine, MainLog } from '../../src/observe/mainlog.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const marineGuy = { client: '61.78.92.162', hostname: '', helo: 'MarineGuy' }
const nmsu = {
  client: '128.123.221.93',
  hostname: 'dialup-free-349.nmsu.edu',
  helo: 'computer',
}
const message = { sender: 'a@b.example', recipient: 'u@c.example', plannedMs: 97_000 }
const unqual: Delayed = { ...marineGuy, ...message, reasons: ['unqual-helo'] }

describe('delayedLine', () => {
  const cases: readonly { event: Delayed; is: string; because: string }[] = [
    {
      event: unqual,
      is:
        'H=(MarineGuy) [61.78.92.162] Warning: Treacle: 61.78.92.162 () - reason: unqual-helo - ' +
        'sender is a@b.example - for u@c.example - delay was 97 secs',
      because: 'of the seed: a client without a name',
    },
    {
      event: { ...nmsu, ...message, reasons: ['unqual-helo', 'hostname-dsl-or-dialup'] },
      is:
        'H=dialup-free-349.nmsu.edu (computer) [128.123.221.93] Warning: Treacle: 128.123.221.93 ' +
        '(dialup-free-349.nmsu.edu) - reason: unqual-helo hostname-dsl-or-dialup - ' +
        'sender is a@b.example - for u@c.example - delay was 97 secs',
      because: 'of the seed: a client with a name, and two reasons',
    },
    {
      event: { ...unqual, sender: '', plannedMs: 20_000 },
      is:
        'H=(MarineGuy) [61.78.92.162] Warning: Treacle: 61.78.92.162 () - reason: unqual-helo - ' +
        'sender is  - for u@c.example - delay was 20 secs',
      because: 'the null sender is empty, as in Exim',
    },
    {
      event: { ...unqual, client: '2001:db8::1', plannedMs: 1_499 },
      is:
        'H=(MarineGuy) [2001:db8::1] Warning: Treacle: 2001:db8::1 () - reason: unqual-helo - ' +
        'sender is a@b.example - for u@c.example - delay was 1 secs',
      because: 'Exim knows whole seconds',
    },
    {
      event: { ...unqual, helo: 'a\r\n2026-11-22 H=\x1b[2J', sender: 'x\x9b@b.example' },
      is:
        'H=(a\\x0d\\x0a2026-11-22 H=\\x1b[2J) [61.78.92.162] Warning: Treacle: 61.78.92.162 () - ' +
        'reason: unqual-helo - sender is x\\x9b@b.example - for u@c.example - delay was 97 secs',
      because: 'nobody writes a line of his own',
    },
  ]
  for (const { event, is, because } of cases) {
    it(`${is.slice(0, 40)}...: ${because}`, () => {
      assert.equal(delayedLine(event), is)
    })
  }
})

describe('leftLine', () => {
  const from = 'unexpected disconnection while reading SMTP command from'
  const cases: readonly { event: Omit<Left, 'connectedMs'>; is: string; because: string }[] = [
    { event: marineGuy, is: '(MarineGuy) [61.78.92.162]', because: 'of the seed' },
    {
      event: nmsu,
      is: 'dialup-free-349.nmsu.edu (computer) [128.123.221.93]',
      because: 'of the seed',
    },
    {
      event: { ...nmsu, helo: 'Dialup-Free-349.nmsu.edu' },
      is: 'dialup-free-349.nmsu.edu [128.123.221.93]',
      because: 'HELO said no more than the name',
    },
    { event: { ...marineGuy, helo: '' }, is: '[61.78.92.162]', because: 'it said nothing' },
    {
      event: { ...marineGuy, helo: '[61.78.92.162]' },
      is: '([61.78.92.162]) [61.78.92.162]',
      because: 'Exim puts a literal in brackets too',
    },
  ]
  for (const { event, is, because } of cases) {
    it(`${is}: ${because}`, () => {
      assert.equal(leftLine({ ...event, connectedMs: 1_003 }), `${from} ${is} D=1.003s`)
    })
  }

  it('tells the time to a thousandth', () => {
    const times = [0, 999.6, 97_250, 3_600_000].map((connectedMs) =>
      leftLine({ ...marineGuy, connectedMs })
        .split(' ')
        .at(-1),
    )
    assert.deepEqual(times, ['D=0.000s', 'D=1.000s', 'D=97.250s', 'D=3600.000s'])
  })
})

describe('MainLog', () => {
  const folder = mkdtempSync(join(tmpdir(), 'treacle-mainlog-'))
  after(() => rmSync(folder, { recursive: true }))
  const delayed = `2026-11-22 11:07:23 ${delayedLine(unqual)}\n`
  const left = `2026-11-22 11:07:23 ${leftLine({ ...marineGuy, connectedMs: 1_003 })}\n`

  it('writes the two events of the recipe and no other, in local time', async () => {
    const { file, log, mainlog } = setUp('two')
    log.event('recipient.delayed', unqual)
    log.event('recipient.left', { ...marineGuy, connectedMs: 1_003 })
    log.event('reason.failed', { reason: 'unqual-helo', why: 'no' })
    log.event('server.stopped', { connections: 0 })
    await mainlog.close()
    assert.equal(
      readFileSync(file, 'utf8'),
      '2026-11-22 11:07:23 H=(MarineGuy) [61.78.92.162] Warning: Treacle: 61.78.92.162 () - ' +
        'reason: unqual-helo - sender is a@b.example - for u@c.example - delay was 97 secs\n' +
        '2026-11-22 11:07:23 unexpected disconnection while reading SMTP command from ' +
        '(MarineGuy) [61.78.92.162] D=1.003s\n',
    )
    assert.equal(statSync(file).mode & 0o777, 0o640)
  })

  it('adds to what is in the file', async () => {
    writeFileSync(join(folder, 'old'), 'an old line\n')
    const { file, log, mainlog } = setUp('old')
    log.event('recipient.delayed', unqual)
    await mainlog.close()
    assert.equal(readFileSync(file, 'utf8'), `an old line\n${delayed}`)
  })

  const soon = { timeout: 30_000 }
  it(
    'goes on in a new file when the old one was moved away, and loses no line',
    soon,
    async ({ signal }) => {
      const { file, log, mainlog } = setUp('moved')
      log.event('recipient.delayed', unqual)
      await written(file, delayed, signal)
      renameSync(file, `${file}.1`)
      log.event('recipient.delayed', unqual)
      mainlog.reopen()
      log.event('recipient.left', { ...marineGuy, connectedMs: 1_003 })
      await written(`${file}.1`, delayed + delayed, signal)
      await mainlog.close()
      assert.equal(readFileSync(file, 'utf8'), left)
    },
  )

  it('writes two digits for each part of the time', async () => {
    const clock = new FakeClock()
    clock.setWall(new Date(2031, 0, 2, 3, 4, 5))
    const { file, log, mainlog } = setUp('digits', clock)
    log.event('recipient.delayed', unqual)
    await mainlog.close()
    assert.match(readFileSync(file, 'utf8'), /^2031-01-02 03:04:05 H=/)
  })

  it('reports a file that cannot be written, and harms nobody', async () => {
    const errors: Error[] = []
    const { promise: heard, resolve } = Promise.withResolvers<void>()
    const file = join(folder, 'no', 'such', 'folder')
    const mainlog = new MainLog(file, localClock(), (error) => {
      errors.push(error)
      resolve()
    })
    mainlog.hear('recipient.delayed', unqual)
    await heard
    mainlog.hear('recipient.delayed', unqual)
    await mainlog.close()
    assert.match(errors[0]?.message ?? '', /ENOENT/)
  })

  function setUp(name: string, clock = localClock()) {
    const file = join(folder, name)
    const log = new Log(clock, { level: 'silent', format: 'json' })
    const mainlog = new MainLog(file, clock, (error) => assert.fail(error))
    log.listen(mainlog.hear)
    return { file, log, mainlog }
  }
})

/** A clock at the moment of the seed's line, wherever this runs. */
function localClock(): FakeClock {
  const clock = new FakeClock()
  clock.setWall(new Date(2026, 10, 22, 11, 7, 23))
  return clock
}

/** Lets the stream write; how soon it does is the system's business. */
async function written(file: string, text: string, signal: AbortSignal): Promise<void> {
  while (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    signal.throwIfAborted()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
