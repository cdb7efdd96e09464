/** The client-address guard: a row is what was heard from whom, and which addresses then hide clients. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AddressGuard, type GuardReport } from '../../src/memory/address-guard.ts'
import { ipOf } from '../dns/worlds.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const hour = 3_600_000
/** Hosts of five owners. */
const strangers = ['mail.a.example', 'mx.b.example', 'c.example', 'x.d.co.uk', '[203.0.113.7]']

function setUp({ on = true } = {}) {
  const clock = new FakeClock()
  const reports: GuardReport[] = []
  const guard = new AddressGuard(clock, on, (report) => reports.push(report))
  const hear = (address: string, ...helos: string[]) => {
    for (const helo of helos) guard.heard(ipOf(address), helo)
  }
  return { clock, guard, hear, kinds: () => reports.map(({ kind }) => kind), reports }
}

describe('AddressGuard', () => {
  const cases: readonly {
    readonly because: string
    readonly heard: readonly (readonly [address: string, ...helos: string[]])[]
    readonly hiding: readonly string[]
  }[] = [
    {
      because: 'hosts of five owners have the gateway of a container network',
      heard: [['172.17.0.1', ...strangers]],
      hiding: ['172.17.0.1'],
    },
    { because: 'the same by IPv6', heard: [['fd00::1', ...strangers]], hiding: ['fd00::1'] },
    { because: 'or from loopback', heard: [['127.0.0.1', ...strangers]], hiding: ['127.0.0.1'] },
    {
      because: 'or from the address of rootless Podman',
      heard: [['::ffff:10.0.2.100', ...strangers]],
      hiding: ['10.0.2.100'],
    },
    {
      because: 'four owners are too few',
      heard: [['172.17.0.1', ...strangers.slice(1)]],
      hiding: [],
    },
    {
      because: 'a host that polls us all day has one name',
      heard: [['10.0.0.5', ...Array.from({ length: 1_000 }, () => 'monitor.internal.example')]],
      hiding: [],
    },
    {
      because: 'machines of one owner behind one address are that owner',
      heard: [['10.0.0.5', ...Array.from({ length: 100 }, (_, n) => `pod-${n}.cluster.example`)]],
      hiding: [],
    },
    {
      because: 'names that are none belong to nobody: containers are called by numbers',
      heard: [
        ['172.17.0.9', ...Array.from({ length: 100 }, (_, n) => `f00dbabe${n}`), '[10.1.2.3]'],
      ],
      hiding: [],
    },
    {
      because: 'an address of the Internet may call itself what it likes',
      heard: [['192.0.2.1', ...Array.from({ length: 100 }, (_, n) => `mail.spam${n}.example`)]],
      hiding: [],
    },
    {
      because: 'each address is watched by itself, and the others are judged as ever',
      heard: [
        ['172.17.0.1', ...strangers],
        ['172.17.0.2', 'monitor.internal.example'],
      ],
      hiding: ['172.17.0.1'],
    },
    {
      because: 'a flood of one name from behind the gateway does not clear it',
      heard: [
        ['172.17.0.1', ...strangers],
        ['172.17.0.1', ...Array.from({ length: 1_000 }, () => 'spam.example')],
      ],
      hiding: ['172.17.0.1'],
    },
  ]
  for (const { because, heard, hiding } of cases) {
    it(because, () => {
      const { guard, hear, kinds } = setUp()
      for (const [address, ...helos] of heard) hear(address, ...helos)
      assert.deepEqual(guard.hiding, hiding)
      for (const [address] of heard) {
        assert.equal(guard.hides(ipOf(address)), hiding.includes(ipOf(address).text))
      }
      assert.deepEqual(kinds(), hiding.length === 0 ? [] : ['tripped'])
    })
  }

  it('says whose hosts they seem to be', () => {
    const { hear, reports } = setUp()
    hear('172.17.0.1', ...strangers)
    assert.deepEqual(reports, [
      {
        kind: 'tripped',
        address: '172.17.0.1',
        owners: ['a.example', 'b.example', 'c.example', 'd.co.uk', '203.0.113.0/24'],
      },
    ])
  })

  it('is clear when for six hours one owner at most was heard of, and can trip again', async () => {
    const { clock, guard, hear, kinds } = setUp()
    hear('172.17.0.1', ...strangers)
    await clock.advance(5 * hour)
    hear('172.17.0.1', 'monitor.internal.example')
    assert.equal(guard.hides(ipOf('172.17.0.1')), true)
    await clock.advance(2 * hour)
    assert.equal(guard.hides(ipOf('172.17.0.1')), false)
    assert.deepEqual(guard.hiding, [])
    assert.deepEqual(kinds(), ['tripped', 'clear'])
    hear('172.17.0.1', ...strangers)
    assert.deepEqual(kinds(), ['tripped', 'clear', 'tripped'])
  })

  it('does not trip over what is long past', async () => {
    const { clock, guard, hear } = setUp()
    for (const helo of strangers) {
      hear('172.17.0.1', helo)
      await clock.advance(2 * hour)
    }
    assert.deepEqual(guard.hiding, [])
  })

  it('switched off notices nothing, and forgets what it knew', () => {
    const off = setUp({ on: false })
    off.hear('172.17.0.1', ...strangers)
    assert.deepEqual([off.guard.hiding, off.guard.size], [[], 0])
    const { guard, hear } = setUp()
    hear('172.17.0.1', ...strangers)
    guard.on = false
    assert.equal(guard.hides(ipOf('172.17.0.1')), false)
  })

  it('watches no more addresses than it may', () => {
    const { guard, hear } = setUp()
    for (let index = 0; index < 2_000; index += 1) {
      hear(`10.0.${index >> 8}.${index & 255}`, 'monitor.internal.example')
    }
    assert.equal(guard.size, 256)
  })
})
