/** Which addresses may be a gateway's, and how proc(5) tells of gateways. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultGateways, mayBeGateway } from '../../src/gate/gateways.ts'
import { ipOf } from '../dns/worlds.ts'

const route = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
`
const route6 = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`

describe('gateways', () => {
  it('are read from the routes, as a container of Docker has them', () => {
    const files: Record<string, string> = {
      '/proc/net/route': route,
      '/proc/net/ipv6_route': route6,
    }
    const gateways = defaultGateways((file) => files[file] ?? '')
    assert.deepEqual([...gateways], ['172.17.0.1', 'fd00::1'])
    assert.deepEqual([...defaultGateways(() => '')], [])
  })

  const gateways = new Set(['172.17.0.1', 'fd00::1'])
  for (const [text, may, because] of [
    ['172.17.0.1', true, 'the other end of the bridge'],
    ['fd00::1', true, 'the same by IPv6'],
    ['127.0.0.1', true, 'loopback, as with rootlessport'],
    ['::1', true, 'the same by IPv6'],
    ['172.17.0.2', true, 'our own address, as with slirp4netns'],
    ['172.17.0.3', false, 'a neighbour'],
    ['10.1.2.3', false, 'somebody in the house'],
    ['192.0.2.1', false, 'somebody on the Internet'],
  ] as const) {
    it(`${text} may ${may ? '' : 'not '}be one: ${because}`, () => {
      const client = { ip: ipOf(text), local: { address: '172.17.0.2', port: 25 } }
      assert.equal(mayBeGateway(client, gateways), may)
    })
  }

  it('of this machine are addresses, whatever they are', () => {
    for (const text of defaultGateways()) assert.equal(ipOf(text).text, text)
  })
})
