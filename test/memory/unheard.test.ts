/** What is remembered of messages whose 250 may not have been heard: bounded, and safe to lose. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { memoryOptions } from '../../src/memory/options.ts'
import { fingerprintOf, Unheard } from '../../src/memory/unheard.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'treacle-unheard-'))
after(() => rmSync(folder, { recursive: true }))

const print = (name: string) => Buffer.from(name.padEnd(32, '.')).toString('hex')
const [a, b, c] = [print('a'), print('b'), print('c')]

function setUp(settings: Readonly<Record<string, unknown>> = {}, clock = new FakeClock()) {
  const reports: string[] = []
  const options = memoryOptions.parse({ unheard: true, ...settings })
  const unheard = new Unheard(options, clock, (why) => reports.push(why))
  return { unheard, clock, reports, options }
}

describe('Unheard', () => {
  it('knows what it was told, until it is told otherwise', () => {
    const { unheard } = setUp()
    unheard.remember(a)
    assert.deepEqual([unheard.has(a), unheard.has(b)], [true, false])
    unheard.forget(a)
    assert.equal(unheard.has(a), false)
  })

  it('forgets after its time, whichever way the clock is set', async () => {
    for (const by of [3_600_000, -3_600_000]) {
      const { unheard, clock } = setUp({ unheard_for: '1h' })
      unheard.remember(a)
      await clock.advance(3_599_999)
      assert.equal(unheard.has(a), true)
      clock.setWall(new Date(clock.wall().getTime() - 3_599_999 + by))
      assert.equal(unheard.has(a), false)
    }
  })

  it('keeps no more than it may, the newest', () => {
    const { unheard } = setUp({ unheard_max: 2 })
    for (const each of [a, b, a, c]) unheard.remember(each)
    assert.deepEqual([unheard.has(a), unheard.has(b), unheard.has(c)], [true, false, true])
    assert.equal(unheard.count, 2)
  })

  it('outlives the process by its file, which stays small', () => {
    const file = join(folder, 'journal')
    const { unheard, clock } = setUp({ unheard_file: file, unheard_max: 2 })
    for (let round = 0; round < 1_000; round += 1) {
      unheard.remember(a)
      unheard.forget(a)
      unheard.remember(b)
    }
    assert.ok(statSync(file).size < 10_000)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const again = setUp({ unheard_file: file, unheard_max: 2 }, clock)
    assert.deepEqual([again.unheard.has(a), again.unheard.has(b)], [false, true])
    assert.deepEqual(again.reports, [])
  })

  it('makes nothing of half a line, or of what somebody else wrote', () => {
    const file = join(folder, 'torn')
    const { unheard, clock } = setUp({ unheard_file: file })
    unheard.remember(a)
    appendFileSync(file, `+ ${b.slice(0, 20)}\nhello\n+ ${c} 99999999999999999999\n`)
    const again = setUp({ unheard_file: file }, clock)
    assert.deepEqual([again.unheard.has(a), again.unheard.has(b)], [true, false])
    assert.equal(again.unheard.has(c), false)
    assert.match(readFileSync(file, 'utf8'), /^\+ /)
  })

  it('goes on without its file, and says so once', () => {
    const { unheard, reports } = setUp({ unheard_file: join(folder, 'not/there') })
    unheard.remember(a)
    unheard.remember(b)
    assert.equal(unheard.has(a), true)
    assert.equal(reports.length, 1)
    assert.match(reports[0] ?? '', /^unheard messages cannot be kept in .*ENOENT/)
  })

  it('reads its file when a reload turns it on', () => {
    const file = join(folder, 'later')
    const { unheard, clock, options } = setUp({ unheard_file: file })
    unheard.remember(a)
    const later = setUp({ unheard: false, unheard_file: file }, clock)
    assert.equal(later.unheard.has(a), false)
    later.unheard.configure(options)
    assert.equal(later.unheard.has(a), true)
  })
})

describe('fingerprintOf', () => {
  const message = {
    network: '192.0.2.0/24',
    sender: 'a@b.example',
    recipients: ['u@example.net', 'v@example.net'],
    digest: 'd',
  }
  const cases = [
    { other: {}, same: true },
    { other: { recipients: ['v@example.net', 'u@example.net'] }, same: true },
    { other: { recipients: ['u@example.net'] }, same: false },
    { other: { recipients: ['u@example.net,v@example.net'] }, same: false },
    { other: { network: '198.51.100.0/24' }, same: false },
    { other: { sender: '' }, same: false },
    { other: { digest: 'e' }, same: false },
  ]
  for (const { other, same } of cases) {
    it(`${JSON.stringify(other)}: ${same ? 'the same message' : 'another one'}`, () => {
      const two = [message, { ...message, ...other }].map(fingerprintOf)
      assert.equal(two[0] === two[1], same)
    })
  }
})
