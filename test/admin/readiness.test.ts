/** What counts as ready, and that the back end is not asked by everybody who asks us. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { BackendCheck, judge, type Vitals } from '../../src/admin/readiness.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const certificate = readFileSync(
  join(import.meta.dirname, '../fixtures/mx.example.org.crt'),
  'utf8',
)
const well: Vitals = {
  draining: false,
  connections: 3,
  held: 2,
  dnsLists: [{ name: 'sorbs-dul', setAside: null }],
  certificate: null,
  shortOfMemory: false,
  certificateFault: null,
  guard: null,
}
const today = new Date('2026-11-22T00:00:00Z')

describe('judge', () => {
  const cases = [
    { what: 'all is well', vitals: {}, fault: null, status: 'ready' },
    { what: 'the back end is away', vitals: {}, fault: 'ECONNREFUSED', status: 'not-ready' },
    { what: 'we are leaving', vitals: { draining: true }, fault: null, status: 'not-ready' },
    {
      what: 'a DNS list is set aside',
      vitals: { dnsLists: [{ name: 'sorbs-dul', setAside: 'lists the world' }] },
      fault: null,
      status: 'degraded',
    },
    {
      what: 'memory is short',
      vitals: { shortOfMemory: true },
      fault: null,
      status: 'degraded',
    },
    {
      what: 'the guard mistrusts addresses',
      vitals: { guard: 'all clients come from 172.17.0.1' },
      fault: null,
      status: 'degraded',
    },
  ] as const
  for (const { what, vitals, fault, status } of cases) {
    it(`is ${status} when ${what}`, () => {
      const state = judge({ ...well, ...vitals }, fault, today)
      assert.equal(state.status, status)
      assert.equal(state.problems.length, status === 'ready' ? 0 : 1)
    })
  }

  it('says that a new certificate is wrong while the old one is in use', () => {
    const judged = judge({ ...well, certificate, certificateFault: 'no pair' }, null, today)
    assert.equal(judged.status, 'degraded')
    assert.deepEqual(judged.problems, ['a new certificate is not used: no pair'])
  })

  it('counts the days that the certificate is good for, and begins to worry at 14', () => {
    const fresh = judge({ ...well, certificate }, null, today)
    assert.ok((fresh.certificateDaysLeft ?? 0) > 14)
    const days = fresh.certificateDaysLeft ?? 0
    const later = new Date(today.getTime() + (days - 13) * 24 * 3_600_000)
    const old = judge({ ...well, certificate }, null, later)
    assert.deepEqual([old.status, old.certificateDaysLeft], ['degraded', 13])
  })
})

describe('BackendCheck', () => {
  it('asks once for all who come within five seconds', async () => {
    const clock = new FakeClock()
    let askedCount = 0
    const check = new BackendCheck(clock, async () => {
      askedCount += 1
      return askedCount === 1 ? 'away' : null
    })
    assert.deepEqual(await Promise.all([check.fault(), check.fault()]), ['away', 'away'])
    await clock.advance(4_999)
    assert.equal(await check.fault(), 'away')
    await clock.advance(1)
    assert.equal(await check.fault(), null)
    assert.equal(askedCount, 2)
  })
})
