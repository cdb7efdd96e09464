/** EHLO promises what we and the back end both do. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCapabilities } from '../../src/relay/capabilities.ts'
import { keywords, offeredBy } from '../../src/smtp/ehlo.ts'

const ours = { sizeMax: 1_000, startTls: false, secure: false, auth: false, xclient: false }

const cases = [
  { backend: null, ours, offers: ['PIPELINING', 'SIZE 1000'], because: 'nothing is known of it' },
  { backend: [], ours, offers: ['PIPELINING', 'SIZE 1000'], because: 'it does nothing' },
  {
    backend: ['SIZE 500'],
    ours,
    offers: ['PIPELINING', 'SIZE 500'],
    because: 'its limit is lower',
  },
  { backend: ['SIZE 5000'], ours, offers: ['PIPELINING', 'SIZE 1000'], because: 'ours is lower' },
  { backend: ['SIZE'], ours, offers: ['PIPELINING', 'SIZE 1000'], because: 'it names no limit' },
  { backend: ['SIZE 0'], ours, offers: ['PIPELINING', 'SIZE 1000'], because: '0 is no limit' },
  {
    backend: ['8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'],
    ours,
    offers: ['PIPELINING', 'SIZE 1000', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'],
    because: 'it does what we do',
  },
  {
    backend: ['CHUNKING', 'PIPECONNECT', 'BINARYMIME', 'ETRN', 'VRFY', 'XCLIENT NAME', 'STARTTLS'],
    ours,
    offers: ['PIPELINING', 'SIZE 1000'],
    because: 'it does what we do not',
  },
  {
    backend: ['AUTH PLAIN LOGIN'],
    ours: { ...ours, startTls: true, auth: true },
    offers: ['PIPELINING', 'SIZE 1000', 'STARTTLS', 'AUTH PLAIN LOGIN'],
    because: 'STARTTLS is between the client and us, AUTH is asked of the back end',
  },
  {
    backend: ['REQUIRETLS'],
    ours,
    offers: ['PIPELINING', 'SIZE 1000'],
    because: 'the client came without TLS itself (RFC 8689)',
  },
  {
    backend: ['REQUIRETLS'],
    ours: { ...ours, secure: true },
    offers: ['PIPELINING', 'SIZE 1000', 'REQUIRETLS'],
    because: 'it is TLS all the way',
  },
  {
    backend: ['AUTH CRAM-MD5'],
    ours: { ...ours, auth: true },
    offers: ['PIPELINING', 'SIZE 1000'],
    because: 'it could not be asked with AUTH PLAIN',
  },
  {
    backend: null,
    ours: { ...ours, auth: true },
    offers: ['PIPELINING', 'SIZE 1000', 'AUTH PLAIN LOGIN'],
    because: 'it may take logins',
  },
]

describe('keywords', () => {
  for (const { backend, ours: here, offers, because } of cases) {
    it(`of ${backend?.join(', ') ?? 'an unknown back end'}: ${because}`, () => {
      const capabilities = backend === null ? null : parseCapabilities(backend, true)
      assert.deepEqual(keywords(capabilities, here), offers)
    })
  }

  it('are the extensions whose parameters are taken', () => {
    assert.deepEqual(offeredBy(null, true), {
      size: true,
      eightBitMime: false,
      smtputf8: false,
      dsn: false,
      requireTls: false,
    })
    assert.deepEqual(
      offeredBy(parseCapabilities(['8bitmime', 'SMTPUTF8', 'DSN', 'REQUIRETLS'], true), true),
      {
        size: true,
        eightBitMime: true,
        smtputf8: true,
        dsn: true,
        requireTls: true,
      },
    )
  })
})
