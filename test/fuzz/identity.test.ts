/** Whatever strangers say of who they are: never a throw, never a control character that gets through. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toXtext } from '../../src/core/envelope.ts'
import { parseIp } from '../../src/core/ip.ts'
import { exchange } from '../../src/smtp/sasl.ts'
import { parseXclient } from '../../src/smtp/xclient.ts'
import { effort } from './effort.ts'

const ip = parseIp('203.0.113.9')
assert.ok(ip)
const peer = {
  id: 'x',
  ip,
  port: 25,
  local: { address: '192.0.2.25', port: 25 },
  introduced: false,
}
const controls = /\p{Cc}/u
const names = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'REVERSE_NAME', 'DESTADDR', 'X']
const values = [
  '192.0.2.7',
  'IPV6:2001:db8::1',
  '25',
  '[UNAVAILABLE]',
  'a+0D+0A',
  '+',
  '=',
  'ESMTP',
]

describe('XCLIENT', () => {
  it('is refused with 501, or says an address, a port and a name without controls', () => {
    const word = fc.oneof(fc.constantFrom(...names, ...values), fc.string({ maxLength: 6 }))
    const part = fc
      .tuple(word, fc.constantFrom('=', '', ' ', '=='), word)
      .map((all) => all.join(''))
    const line = fc.array(part, { maxLength: 6 }).map((parts) => `XCLIENT ${parts.join(' ')}`)
    fc.assert(
      fc.property(line, (said) => {
        const parsed = parseXclient(said, peer)
        if ('refusal' in parsed) return assert.equal(parsed.refusal.code, 501)
        const { value } = parsed
        assert.ok(Number.isInteger(value.port) && value.port >= 0 && value.port <= 65_535)
        assert.ok(parseIp(value.ip.text) && parseIp(value.local.address))
        assert.doesNotMatch(value.login ?? '', controls)
      }),
      effort(5_000),
    )
  })

  it('gives back every login that can be said in it', () => {
    const login = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
    fc.assert(
      fc.property(login, (name) => {
        const parsed = parseXclient(`XCLIENT LOGIN=${toXtext(name)}`, peer)
        const isUnavailable = /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(name)
        if ('refusal' in parsed) assert.match(name, controls)
        else assert.equal(parsed.value.login, isUnavailable ? null : name)
      }),
    )
  })
})

describe('AUTH', () => {
  it('ends with a reply or with a user and a password, whatever is said', () => {
    const token = fc.oneof(
      fc.constantFrom('*', '=', '', 'AGEAYg==', 'YQ=='),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      fc.string({ maxLength: 8 }),
    )
    const first = fc
      .tuple(fc.constantFrom('AUTH', 'AUTH PLAIN', 'AUTH LOGIN', 'AUTH X'), token)
      .map((parts) => parts.join(' '))
    fc.assert(
      fc.property(first, fc.array(token, { minLength: 3, maxLength: 3 }), (line, rest) => {
        const going = exchange(line)
        let step = going.next('')
        for (const said of rest) if (!step.done) step = going.next(said)
        assert.ok(step.done, 'nothing asks more than twice')
        if ('code' in step.value) assert.ok([501, 504, 535].includes(step.value.code))
        else assert.doesNotMatch(step.value.user, controls)
      }),
      effort(5_000),
    )
  })
})
