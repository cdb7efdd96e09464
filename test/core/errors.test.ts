/** What an operator reads when something is wrong. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError, HostListError, messageOf, problemText } from '../../src/core/errors.ts'

describe('errors', () => {
  it('tell where, which key and what, and leave out what is not known', () => {
    const what = 'expected a whole number'
    const where = 'treacle.toml:12'
    assert.equal(problemText({ where, key: 'delay.slots', what }), `${where}: delay.slots: ${what}`)
    assert.equal(problemText({ where, key: '', what }), `${where}: ${what}`)
  })

  it('tell everything at once', () => {
    const problems = [
      { where: 't:1', key: 'a', what: 'is wrong' },
      { where: 't:2', key: 'b', what: 'is too' },
    ]
    const error = new ConfigError(problems)
    assert.equal(error.message, 't:1: a: is wrong\nt:2: b: is too')
    assert.equal(error.name, 'ConfigError')
    assert.deepEqual(error.problems, problems)
    assert.ok(error instanceof Error)
  })

  it('show a wrong line of a list so that its control characters can be seen', () => {
    const { message, name } = new HostListError('hosts', [{ line: 3, value: 'a\x1bb' }])
    assert.match(message, /^hosts:3: "a\\u001bb" is no address/)
    assert.equal(name, 'HostListError')
  })

  it('have a message even when they are none', () => {
    assert.equal(messageOf(new TypeError('no')), 'no')
    assert.equal(messageOf('no'), 'no')
    assert.equal(messageOf(undefined), 'undefined')
  })
})
