/** Where something listens. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { endpointOf, isAddressed, parseEndpoint } from '../../src/core/endpoint.ts'

const cases = [
  { text: '127.0.0.1:25', is: { host: '127.0.0.1', port: 25 }, addressed: true },
  { text: '[2001:db8::1]:25', is: { host: '2001:db8::1', port: 25 }, addressed: true },
  { text: '0.0.0.0:0', is: { host: '0.0.0.0', port: 0 }, addressed: true },
  { text: 'mail.example.org:65535', is: { host: 'mail.example.org', port: 65_535 } },
  ...['127.0.0.1:65536', '999.1.1.1:25', '1.2.3:25', '::1:25', '[::1:25', '[::1]', 'a b:25'].map(
    (text) => ({ text, is: null, addressed: false }),
  ),
  ...['', ':25', 'mail.example.org', 'mail.example.org:', '[127.0.0.1]:25', '[mail]:25', 'a:b'].map(
    (text) => ({ text, is: null, addressed: false }),
  ),
]

describe('parseEndpoint', () => {
  for (const { text, is, addressed = false } of cases) {
    it(`${JSON.stringify(text)} ${is === null ? 'is none' : `is ${is.host}, ${is.port}`}`, () => {
      assert.deepEqual(parseEndpoint(text), is)
      assert.equal(isAddressed(text), addressed)
      if (is === null) assert.throws(() => endpointOf(text), TypeError)
      else assert.deepEqual(endpointOf(text), is)
    })
  }
})
