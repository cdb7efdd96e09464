/** Settings from the environment, and the guard against slips of the pen. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { overridesFrom, strangeVariables, variables } from '../../src/config/environment.ts'

describe('overridesFrom', () => {
  it('takes lists apart and leaves texts whole', () => {
    const env = { TREACLE_BACKEND: 'a:25, b:25,', TREACLE_NAME: ' mx.example.org ', PATH: '/bin' }
    assert.deepEqual(overridesFrom(env), [
      { variable: 'TREACLE_BACKEND', path: ['backend', 'addresses'], value: ['a:25', 'b:25'] },
      { variable: 'TREACLE_NAME', path: ['name'], value: 'mx.example.org' },
    ])
  })

  it('takes what is set to nothing for not set, as compose files do', () => {
    assert.deepEqual(overridesFrom({ TREACLE_BACKEND: '', TREACLE_LISTEN: ' ' }), [])
  })
})

describe('strangeVariables', () => {
  it('knows its own, and minds nobody else', () => {
    const own = Object.fromEntries(variables.map(({ variable }) => [variable, 'x']))
    assert.deepEqual(strangeVariables({ ...own, PATH: '/bin', MY_TREACLE_X: '1' }), [])
  })

  it('reports what it does not know', () => {
    assert.deepEqual(strangeVariables({ TREACLE_ELEPHANTS: '1', TREACLE_BACKENDS: 'x' }), [
      {
        where: 'TREACLE_BACKENDS',
        key: '',
        what: 'unknown variable; did you mean TREACLE_BACKEND?',
      },
      {
        where: 'TREACLE_ELEPHANTS',
        key: '',
        what: 'unknown variable; known are TREACLE_BACKEND, TREACLE_INTRODUCE, TREACLE_LISTEN, TREACLE_MODE, TREACLE_NAME, TREACLE_RECIPIENT_DOMAINS',
      },
    ])
  })

  const made = [
    'TREACLE_SERVICE_HOST',
    'TREACLE_SERVICE_PORT',
    'TREACLE_SERVICE_PORT_SMTP',
    'TREACLE_PORT',
    'TREACLE_PORT_25_TCP',
    'TREACLE_PORT_25_TCP_ADDR',
    'TREACLE_BACKEND_PORT_25_TCP_PROTO',
  ]
  for (const name of made) {
    it(`${name} is made up by Kubernetes or Docker`, () => {
      assert.deepEqual(strangeVariables({ [name]: 'tcp://192.0.2.1:25' }), [])
    })
  }
})
