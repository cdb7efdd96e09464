/** Who is let in: a row is somebody who comes while so many are in. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { type Ip, parseIp } from '../../src/core/ip.ts'
import { Admission } from '../../src/gate/admission.ts'
import type { GateLimits } from '../../src/gate/limits.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

interface Step {
  readonly text: string
  readonly knownGood: boolean
  readonly shared: boolean
}

function setUp(limits: Partial<GateLimits>) {
  const clock = new FakeClock()
  const admission = new Admission(clock)
  const all = { ...parseConfig(configSchema, '', 't').limits, reserved: 0, ...limits }
  const enter = (text: string, how: { knownGood?: boolean; shared?: boolean } = {}) =>
    admission.enter({ ip: ip(text), knownGood: false, shared: false, ...how }, all)
  return { clock, admission, enter }
}

function ip(text: string): Ip {
  const parsed = parseIp(text)
  assert.ok(parsed)
  return parsed
}

describe('Admission', () => {
  const atOnce: readonly {
    readonly limits: Partial<GateLimits>
    readonly inside: readonly string[]
    readonly comes: string
    readonly hears: string | null
  }[] = [
    {
      limits: { connections_max: 2 },
      inside: ['192.0.2.1', '198.51.100.1'],
      comes: '203.0.113.1',
      hears: 'too many connections',
    },
    {
      limits: { per_address_max: 2 },
      inside: ['192.0.2.1', '192.0.2.1'],
      comes: '192.0.2.1',
      hears: 'too many connections from 192.0.2.1',
    },
    {
      limits: { per_address_max: 2 },
      inside: ['192.0.2.1', '192.0.2.1'],
      comes: '192.0.2.2',
      hears: null,
    },
    {
      limits: { per_network_max: 2 },
      inside: ['192.0.2.1', '192.0.2.2'],
      comes: '192.0.2.3',
      hears: 'too many connections from 192.0.2.0/24',
    },
    {
      limits: { per_network_max: 2 },
      inside: ['2001:db8::1', '2001:db8::2:1'],
      comes: '2001:db8::ffff:1',
      hears: 'too many connections from 2001:db8::/64',
    },
    {
      limits: { per_network_max: 2, per_site_max: 3 },
      inside: ['2001:db8::1', '2001:db8:0:1::1', '2001:db8:0:2::1'],
      comes: '2001:db8:0:ffff::1',
      hears: 'too many connections from 2001:db8::/48',
    },
    {
      limits: { per_site_max: 1 },
      inside: ['2001:db8::1'],
      comes: '2001:db8:1::1',
      hears: null,
    },
    {
      limits: { per_site_max: 1 },
      inside: ['192.0.2.1', '192.0.2.2'],
      comes: '192.0.2.3',
      hears: null,
    },
    {
      limits: { per_address_max: 1 },
      inside: ['192.0.2.1'],
      comes: '::ffff:192.0.2.1',
      hears: 'too many connections from 192.0.2.1',
    },
  ]
  for (const { limits, inside, comes, hears } of atOnce) {
    it(`${comes} with ${JSON.stringify(limits)} hears ${hears}`, () => {
      const { enter, admission } = setUp(limits)
      for (const text of inside) assert.equal(enter(text), null)
      assert.equal(enter(comes), hears)
      assert.equal(admission.count, inside.length + (hears === null ? 1 : 0))
    })
  }

  it('forgets who has left, whatever they came by', () => {
    const { enter, admission } = setUp({ per_site_max: 1 })
    for (const text of ['2001:db8::1', '192.0.2.1']) {
      assert.equal(enter(text), null)
      admission.leave(ip(text))
      assert.equal(enter(text), null)
      admission.leave(ip(text))
    }
    assert.deepEqual([admission.count, admission.remembered], [0, 0])
  })

  it('keeps the reserved places for friends, and no more than those', () => {
    const { enter } = setUp({ connections_max: 5, reserved: 2 })
    for (const text of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) assert.equal(enter(text), null)
    assert.equal(enter('192.0.2.4'), 'too many connections')
    assert.equal(enter('192.0.2.5', { knownGood: true }), null)
    assert.equal(enter('192.0.2.6', { knownGood: true }), null)
    assert.equal(enter('192.0.2.7', { knownGood: true }), 'too many connections')
  })

  it('limits how fast an address and a network come, though all have left again', async () => {
    const { enter, admission, clock } = setUp({ rate_per_address_max: 3, rate_per_network_max: 5 })
    const comes = (text: string) => {
      const why = enter(text)
      if (why === null) admission.leave(ip(text))
      return why
    }
    for (let index = 0; index < 3; index += 1) assert.equal(comes('192.0.2.1'), null)
    assert.equal(comes('192.0.2.1'), 'too many connections in a minute from 192.0.2.1')
    assert.equal(comes('192.0.2.2'), null)
    assert.equal(comes('192.0.2.3'), null)
    assert.equal(comes('192.0.2.4'), 'too many connections in a minute from 192.0.2.0/24')
    assert.equal(comes('198.51.100.1'), null)
    await clock.advance(120_000)
    assert.equal(comes('192.0.2.1'), null)
  })

  it('lets nobody in beyond a limit and forgets all who have left, whoever comes and goes', () => {
    const texts = ['192.0.2.1', '192.0.2.2', '198.51.100.1', '2001:db8::1', '2001:db8:0:1::1']
    const step = fc.record({
      text: fc.constantFrom(...texts),
      leaves: fc.boolean(),
      knownGood: fc.boolean(),
      shared: fc.boolean(),
    })
    const limits = { per_address_max: 2, per_network_max: 3, per_site_max: 3, connections_max: 8 }
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { enter, admission } = setUp({ ...limits, reserved: 2 })
        const inside: { readonly text: string; readonly shared: boolean }[] = []
        const leave = (text: string) => {
          const index = inside.findIndex((each) => each.text === text)
          if (index < 0) return
          inside.splice(index, 1)
          admission.leave(ip(text))
        }
        const comes = ({ text, knownGood, shared }: Step) => {
          if (enter(text, { knownGood, shared }) !== null) return
          inside.push({ text, shared })
          const alike = inside.filter((each) => each.text === text).length
          assert.ok(shared || alike <= limits.per_address_max)
          assert.ok(inside.length <= (knownGood ? 8 : 6))
        }
        for (const each of steps) {
          if (each.leaves) leave(each.text)
          else comes(each)
          assert.equal(admission.count, inside.length)
        }
        for (const { text } of inside) admission.leave(ip(text))
        assert.deepEqual([admission.count, admission.remembered], [0, 0])
      }),
    )
  })

  it('limits a hidden address by the whole alone, and counts it all the same', () => {
    const { enter, admission } = setUp({
      connections_max: 4,
      per_address_max: 1,
      per_network_max: 1,
      rate_per_address_max: 1,
    })
    for (let index = 0; index < 4; index += 1) {
      assert.equal(enter('172.17.0.1', { shared: true }), null)
    }
    assert.equal(enter('172.17.0.1', { shared: true }), 'too many connections')
    admission.leave(ip('172.17.0.1'))
    assert.equal(enter('172.17.0.1'), 'too many connections from 172.17.0.1')
  })
})
