/** Whatever a proxy sends, and however it arrives. fast-check prints the seed. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseIp } from '../../src/core/ip.ts'
import { parseProxyHeader } from '../../src/gate/proxy-header.ts'
import { proxyV1, proxyV2, v2Body } from '../helpers/proxied.ts'
import { effort } from './effort.ts'

describe('parseProxyHeader, whatever it is given', () => {
  const port = fc.integer({ min: 0, max: 65_535 })
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const extension = fc.uint8Array({ maxLength: 400 })

  const v1 = fc
    .oneof(fc.tuple(fc.ipV4(), fc.ipV4(), port, port), fc.tuple(fc.ipV6(), fc.ipV6(), port, port))
    .map(([from, to, fromPort, toPort]) => ({
      header: proxyV1([from, fromPort], [to, toPort]),
      source: { ip: parseIp(from), port: fromPort },
      destination: { ip: parseIp(to), port: toPort },
    }))
    // Two addresses of version 6 that end as one of version 4 may be longer than any proxy writes them.
    .filter(({ header }) => header.length <= 107)
  const v2 = fc
    .oneof(
      fc.tuple(bytes(4), bytes(4), port, port, extension),
      fc.tuple(bytes(16), bytes(16), port, port, extension),
    )
    .map(([from, to, fromPort, toPort, rest]) => {
      const family = from.length === 4 ? 0x11 : 0x21
      const body = Buffer.concat([v2Body([from, fromPort], [to, toPort]), rest])
      return {
        header: proxyV2({ family, body }),
        source: { ip: parseIp(spelt(from)), port: fromPort },
        destination: { ip: parseIp(spelt(to)), port: toPort },
      }
    })
  const valid = fc.oneof(v1, v2)

  it('reads what a proxy writes, wherever it is cut and whatever follows', () => {
    fc.assert(
      fc.property(valid, fc.nat(), fc.uint8Array(), ({ header, source, destination }, at, rest) => {
        const cut = at % header.length
        assert.deepEqual(parseProxyHeader(header.subarray(0, cut)), { kind: 'need-more' })
        const { length } = header
        const expected = { kind: 'header', length, source, destination }
        assert.deepEqual(parseProxyHeader(Buffer.concat([header, rest])), expected)
      }),
      effort(2_000),
    )
  })

  const starts = fc
    .constantFrom('', 'P', 'PROXY ', 'PROXY TCP4 ', 'PROXY TCP6 ::1 ')
    .map(Buffer.from)
  const v2Start = fc
    .tuple(fc.integer({ min: 0x1f, max: 0x23 }), fc.integer({ min: 0, max: 0x32 }))
    .map(([command, family]) => proxyV2({ command, family }).subarray(0, 14))
  const damaged = fc
    .tuple(valid, fc.nat(), fc.integer({ min: 0, max: 255 }))
    .map(([{ header }, at, byte]) => header.with(at % header.length, byte))
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 700 }),
    damaged,
    fc
      .tuple(fc.oneof(starts, v2Start), fc.uint8Array({ maxLength: 700 }))
      .map((parts) => Buffer.concat(parts)),
  )

  it('neither throws, nor changes its mind, nor asks for more than there may be', () => {
    fc.assert(
      fc.property(anything, fc.nat(), (given, at) => {
        const whole = Buffer.from(given)
        const parsed = parseProxyHeader(whole)
        if (parsed.kind === 'header') {
          assert.ok(parsed.length <= Math.min(536, whole.length))
          assert.deepEqual(parseProxyHeader(whole.subarray(0, parsed.length)), parsed)
        } else if (parsed.kind === 'need-more') assert.ok(whole.length < 536)
        const part = parseProxyHeader(whole.subarray(0, at % (whole.length + 1)))
        if (part.kind !== 'need-more') assert.deepEqual(part, parsed)
      }),
      effort(5_000),
    )
  })
})

function spelt(address: Uint8Array): string {
  if (address.length === 4) return address.join('.')
  const pairs = Array.from({ length: 8 }, (_, index) => address.slice(2 * index, 2 * index + 2))
  return pairs.map(([high = 0, low = 0]) => (high * 256 + low).toString(16)).join(':')
}
