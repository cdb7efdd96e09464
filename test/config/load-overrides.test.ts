/** Values that win over the config file. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Override } from '../../src/config/environment.ts'
import { parseConfig } from '../../src/config/load.ts'
import { complaints } from './complaints.ts'
import { sample } from './sample.ts'

describe('parseConfig with values from elsewhere', () => {
  const addresses = (value: unknown): Override => {
    return { variable: 'TREACLE_BACKEND', path: ['backend', 'addresses'], value }
  }

  it('prefers them to the file', () => {
    const config = parseConfig(sample, '[backend]\naddresses = ["a:1"]', 't', [addresses(['b:2'])])
    assert.deepEqual(config.backend.addresses, ['b:2'])
    assert.deepEqual(parseConfig(sample, '', 't', [addresses(['b:2'])]).backend, config.backend)
  })

  it('reports them by the name of the variable, after the faults of the file', () => {
    const overrides = [addresses(['a:1', 'b'])]
    const strange = [{ where: 'TREACLE_X', key: '', what: 'unknown variable' }]
    assert.deepEqual(complaints('nam = 1', { overrides, strange }), [
      't:1: nam: unknown setting; did you mean "name"?',
      'TREACLE_BACKEND: backend.addresses[1]: "b" is wrong: expected "host:port"',
      'TREACLE_X: unknown variable',
    ])
    assert.deepEqual(complaints('', { strange }), ['TREACLE_X: unknown variable'])
    assert.equal(complaints('[', { strange }).length, 2)
  })

  it('still reports a value in the file where a table belongs', () => {
    assert.deepEqual(complaints('backend = 3', { overrides: [addresses(['a:1'])] }), [
      't:1: backend: expected a table, found a whole number',
    ])
  })
})
