/** docs/metrics.md and the rules for alarms know the figures that there are, and no others. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Metrics } from '../../src/admin/metrics.ts'
import { events } from '../../src/observe/events.ts'
import { Log } from '../../src/observe/log.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const docs = join(import.meta.dirname, '../../docs')
const page = readFileSync(join(docs, 'metrics.md'), 'utf8')
const rules = readFileSync(join(docs, 'examples/prometheus-rules.yaml'), 'utf8')

describe('docs/metrics.md', () => {
  it('lists every figure of ours', async () => {
    const listed = [...page.matchAll(/^\| `(treacle_\w+)` \|/gm)].map(([, name]) => name)
    assert.deepEqual(listed.sort(), await namesThatThereAre())
  })

  it('asks for figures and events that there are, in the rules as well', async () => {
    const names = await namesThatThereAre()
    for (const [name] of `${page}${rules}`.matchAll(/\btreacle_\w+/g)) {
      assert.ok(names.includes(name), name)
    }
    for (const [, event = ''] of rules.matchAll(/event="([^"]+)"/g)) {
      assert.ok(event in events, event)
    }
  })

  it('says what each alarm means', () => {
    const alarms = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name)
    const explained = [...page.matchAll(/^\| `(Treacle\w+)` \|/gm)].map(([, name]) => name)
    assert.deepEqual(explained.sort(), alarms.sort())
  })
})

async function namesThatThereAre(): Promise<string[]> {
  const log = new Log(new FakeClock(), { level: 'silent', format: 'json' })
  const vitals = () => ({
    ...{ draining: false, shortOfMemory: false, connections: 0, held: 0, dnsLists: [] },
    ...{ certificate: null, certificateFault: null, guard: null },
  })
  const text = await new Metrics({ log, vitals, backendUp: () => true }).text()
  return [...text.matchAll(/^# TYPE (treacle_\w+)/gm)].map(([, name = '']) => name).sort()
}
