/** What /metrics says after things have happened. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Metrics } from '../../src/admin/metrics.ts'
import type { Vitals } from '../../src/admin/readiness.ts'
import { type Ledger, openLedger } from '../../src/core/ledger.ts'
import { Log } from '../../src/observe/log.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

describe('metrics', () => {
  it('render ledgers: outcomes, reasons, waits, messages, look-ups', async () => {
    const { log, figures } = setUp()
    log.event('connection', { ledger: ledger({ reaction: 'waited', waitedMs: 100_000 }) })
    log.event('connection', { ledger: ledger({ reaction: 'left', waitedMs: 40_000 }) })
    assert.equal(await figures('treacle_connections_total{outcome="accepted"}'), 2)
    const found = 'treacle_findings_total{reason="unqual-helo",action="delay"}'
    assert.equal(await figures(found), 2, 'two findings of one reason are one connection each')
    const left = 'treacle_waits_total{stage="rcpt",reaction="left",observed="false"}'
    assert.equal(await figures(left), 1)
    assert.equal(await figures('treacle_wait_seconds_sum{stage="rcpt"}'), 140)
    assert.equal(await figures('treacle_messages_total{reply="2xx"}'), 2)
    assert.equal(await figures('treacle_message_bytes_total'), 2_000)
    assert.equal(await figures('treacle_lookups_total'), 6)
  })

  it('show every event from the start, at 0', async () => {
    const { log, figures } = setUp()
    const faults = 'treacle_events_total{event="our-fault"}'
    assert.equal(await figures(faults), 0)
    log.fault('test', new Error('test'))
    assert.equal(await figures(faults), 1)
  })

  it('show how we are at the moment', async () => {
    const { vitals, world, figures } = setUp()
    assert.equal(await figures('treacle_connected'), 3)
    assert.equal(await figures('treacle_backend_up'), 1)
    assert.equal(await figures('treacle_guard'), 0)
    assert.equal(await figures('treacle_dns_lists_set_aside'), 1)
    assert.equal(await figures('treacle_certificate_expires_seconds'), Number.NaN)
    Object.assign(vitals, { guard: 'all from 172.17.0.1' })
    world.backendUp = false
    assert.equal(await figures('treacle_guard'), 1)
    assert.equal(await figures('treacle_backend_up'), 0)
  })

  it('say nothing of the event loop before anybody has looked, and no number that cannot be', async () => {
    const { metrics } = setUp()
    const text = await metrics.text()
    assert.match(text, /^process_resident_memory_bytes \d+$/m)
    assert.doesNotMatch(text, /^nodejs_eventloop_lag_(?:min|max|mean|stddev|p99)_seconds /m)
  })

  it('are what Prometheus reads: each sample has its help and type', async () => {
    const { metrics } = setUp()
    assert.match(metrics.contentType, /^text\/plain; version=0\.0\.4/)
    const text = await metrics.text()
    const described = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
    for (const [, name = ''] of text.matchAll(/^([a-z]\w*)/gm)) {
      assert.ok(
        described.has(name) || described.has(name.replace(/_(bucket|sum|count)$/, '')),
        name,
      )
    }
  })
})

function setUp() {
  const log = new Log(new FakeClock(), { level: 'silent', format: 'json' })
  const vitals: Vitals = {
    draining: false,
    connections: 3,
    held: 2,
    dnsLists: [
      { name: 'a', setAside: null },
      { name: 'b', setAside: 'lists the world' },
    ],
    certificate: null,
    shortOfMemory: false,
    certificateFault: null,
    guard: null,
  }
  const world = { backendUp: true }
  const metrics = new Metrics({ log, vitals: () => vitals, backendUp: () => world.backendUp })
  const figures = async (sample: string): Promise<number | undefined> => {
    const lines = (await metrics.text()).split('\n')
    const line = lines.find((each) => each.startsWith(`${sample} `))
    return line === undefined ? undefined : Number(line.slice(sample.length + 1))
  }
  return { log, vitals, world, metrics, figures }
}

function ledger({ reaction, waitedMs }: Pick<Ledger['entries'][number], 'reaction' | 'waitedMs'>) {
  const finding = { stage: 'helo', action: 'delay', weight: 5, excuses: [], header: null } as const
  const opened = openLedger('1', new Date(0), '192.0.2.1', 1)
  opened.findings.push(
    { reason: 'unqual-helo', evidence: 'pc', ...finding },
    { reason: 'unqual-helo', evidence: 'laptop', ...finding },
  )
  const times = { targetMs: 100_000, lookupMs: 0, plannedMs: 100_000, waitedMs }
  opened.entries.push({
    stage: 'rcpt',
    reasons: [],
    excuses: [],
    ...times,
    reaction,
    observed: false,
  })
  opened.transactions.push({ sender: '', recipients: [], bytes: 1_000, reply: '250 ok' })
  opened.outcome = 'accepted'
  opened.lookupCount = 3
  return opened
}
