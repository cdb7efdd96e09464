/** The schema as a whole: what its tables promise together. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema, limitsOptions } from '../../src/config/schema.ts'
import { complaints } from './complaints.ts'

describe('[limits]', () => {
  it('says of a limit in another table where it belongs', () => {
    for (const [wrong, right] of [
      ['gate.connections_max', 'limits.connections_max'],
      ['smtp.size_max', 'limits.size_max'],
    ]) {
      assert.deepEqual(complaints(`${wrong} = 1`, { schema: configSchema }), [
        `t:1: ${wrong}: unknown setting here; did you mean ${right}?`,
      ])
    }
  })

  it('describes each limit, and has a default for each', () => {
    assert.deepEqual(
      Object.keys(parseConfig(configSchema, '', 't').limits),
      Object.keys(limitsOptions.shape),
    )
    for (const [name, { description }] of Object.entries(limitsOptions.shape)) {
      assert.ok(description, `limits.${name} has no description`)
    }
  })
})

describe('the tables together', () => {
  it('do not reserve every place for friends', () => {
    const limits = '[limits]\nconnections_max = 50\nreserved = 50\n'
    assert.deepEqual(complaints(limits, { schema: configSchema }), [])
    const said = complaints(`gate.known_good = "x"\n${limits}`, { schema: configSchema })
    assert.deepEqual(said, [
      't:4: limits.reserved: 50 is wrong: expected less than limits.connections_max',
    ])
  })
})
