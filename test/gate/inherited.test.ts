/** Which sockets systemd hands over. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inheritedSockets } from '../../src/gate/inherited.ts'

describe('inherited sockets', () => {
  const cases = [
    { env: {}, fds: [] },
    { env: { LISTEN_PID: '7', LISTEN_FDS: '1' }, fds: [3] },
    { env: { LISTEN_PID: '7', LISTEN_FDS: '3' }, fds: [3, 4, 5] },
    { env: { LISTEN_PID: '8', LISTEN_FDS: '1' }, fds: [] },
    { env: { LISTEN_FDS: '1' }, fds: [] },
    { env: { LISTEN_PID: '7', LISTEN_FDS: '-1' }, fds: [] },
    { env: { LISTEN_PID: '7', LISTEN_FDS: '1e9' }, fds: [] },
  ]
  for (const { env, fds } of cases) {
    it(`${JSON.stringify(env)} hands over ${fds.length}`, () => {
      assert.deepEqual(
        inheritedSockets(env, 7).map(({ fd }) => fd),
        fds,
      )
    })
  }
  it('knows by its name which one begins with TLS', () => {
    const env = { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'smtp:smtps' }
    assert.deepEqual(
      inheritedSockets(env, 7).map(({ tls }) => tls),
      [false, true, false],
    )
  })
  it('never takes more than 64', () => {
    assert.equal(inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '9999' }, 7).length, 64)
  })
})
