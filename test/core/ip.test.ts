/** Addresses and networks: one spelling each, and nothing taken for an address that is none. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  addressLiteral,
  arpaName,
  isPrivate,
  parseAddressLiteral,
  parseIp,
  parseNetwork,
  reverseLabels,
  siteOf,
} from '../../src/core/ip.ts'
import { ipOf } from '../dns/worlds.ts'

describe('parseIp', () => {
  const cases = [
    { text: '192.0.2.1', is: '192.0.2.1', network: '192.0.2.0/24' },
    { text: '255.255.255.255', is: '255.255.255.255', network: '255.255.255.0/24' },
    { text: '::ffff:192.0.2.1', is: '192.0.2.1', network: '192.0.2.0/24' },
    { text: '::FFFF:C000:0201', is: '192.0.2.1', network: '192.0.2.0/24' },
    { text: '2001:DB8:0:0:0:0:0:1', is: '2001:db8::1', network: '2001:db8::/64' },
    { text: '2001:db8:1:2:3:4:5:6', is: '2001:db8:1:2:3:4:5:6', network: '2001:db8:1:2::/64' },
    { text: '2001:db8:0:1:1:1:1:1', is: '2001:db8:0:1:1:1:1:1', network: '2001:db8:0:1::/64' },
    { text: '::1', is: '::1', network: '::/64' },
    { text: 'fe80::1%eth0', is: 'fe80::1', network: 'fe80::/64' },
  ]
  for (const { text, is, network } of cases) {
    it(`reads ${text} as ${is} in ${network}`, () => {
      const family = is.includes(':') ? 6 : 4
      assert.deepEqual(parseIp(text), { text: is, family, network })
    })
  }

  const none = [
    { text: '', because: 'it is empty' },
    { text: '192.0.2', because: 'three numbers are no address to us, though inet_aton takes them' },
    { text: '3221225985', because: 'nor is one number' },
    { text: '0xc0000201', because: 'nor a hexadecimal one' },
    { text: '192.0.2.256', because: 'a byte ends at 255' },
    { text: '010.0.0.1', because: 'it is 8.0.0.1 to some and 10.0.0.1 to others' },
    { text: '192.0.2.01', because: 'a leading zero is octal to some' },
    { text: '192.0.2.1.', because: 'an address has no final dot' },
    { text: '192.0.2.1%eth0', because: 'only IPv6 has zones' },
    { text: ' 192.0.2.1', because: 'of the space' },
    { text: '192.0.2.1\n', because: 'of the line break' },
    { text: '192.0.2.1:25', because: 'of the port' },
    { text: '[192.0.2.1]', because: 'of the brackets' },
    { text: '2001:db8::1::2', because: 'of two gaps' },
    { text: '1:2:3:4:5:6:7:8:9', because: 'nine groups are too many' },
    { text: '12345::', because: 'a group has four digits' },
    { text: 'mail.example', because: 'it is a name' },
  ]
  for (const { text, because } of none) {
    it(`does not take ${JSON.stringify(text)}: ${because}`, () => {
      assert.equal(parseIp(text), null)
    })
  }

  it('spells each address so that reading it again gives the same', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const ip = ipOf(text)
        assert.deepEqual(parseIp(ip.text), ip)
        assert.ok(parseNetwork(ip.network)?.contains(ip))
      }),
    )
  })
})

describe('parseNetwork', () => {
  const cases = [
    { net: '192.0.2.0/24', inside: ['192.0.2.0', '192.0.2.255'], outside: ['192.0.3.0'] },
    { net: '192.0.2.77/24', inside: ['192.0.2.1'], outside: ['192.0.1.77'] },
    { net: '192.0.2.1', inside: ['192.0.2.1', '::ffff:192.0.2.1'], outside: ['192.0.2.2'] },
    { net: '192.0.2.128/25', inside: ['192.0.2.128'], outside: ['192.0.2.127'] },
    { net: '0.0.0.0/0', inside: ['203.0.113.9'], outside: ['2001:db8::1', '::'] },
    { net: '2001:db8::/32', inside: ['2001:db8:ffff::1'], outside: ['2001:db9::', '192.0.2.1'] },
    { net: '2001:db8::1', inside: ['2001:db8::1'], outside: ['2001:db8::2'] },
    { net: '::/0', inside: ['2001:db8::1'], outside: ['192.0.2.1', '::ffff:192.0.2.1'] },
  ]
  for (const { net, inside, outside } of cases) {
    it(`${net} has ${inside} and not ${outside}`, () => {
      const network = parseNetwork(net)
      assert.ok(network !== null)
      for (const text of inside) assert.equal(network.contains(ipOf(text)), true, text)
      for (const text of outside) assert.equal(network.contains(ipOf(text)), false, text)
    })
  }

  it('answers for each address itself, however they follow each other', () => {
    const [near, far] = [parseNetwork('192.0.2.0/24'), parseNetwork('198.51.100.0/24')]
    const [a, b] = [ipOf('192.0.2.1'), ipOf('198.51.100.1')]
    const answers = [a, b, a, a, b].map((ip) => [near?.contains(ip), far?.contains(ip)])
    const [hereOnly, thereOnly] = [
      [true, false],
      [false, true],
    ]
    assert.deepEqual(answers, [hereOnly, thereOnly, hereOnly, hereOnly, thereOnly])
  })

  const wrong = ['192.0.2.0/33', '192.0.2.0/', '192.0.2.0/-1', '192.0.2.0/24/8', '2001:db8::/129']
  for (const text of [...wrong, '192.0.2.0/2 4', '192.0.2/24', '*.example.net', '', '/24']) {
    it(`does not take ${JSON.stringify(text)}`, () => {
      assert.equal(parseNetwork(text), null)
    })
  }
})

describe('siteOf', () => {
  const cases = {
    '2001:db8:1:2:3:4:5:6': '2001:db8:1::/48',
    '2001:db8::1': '2001:db8::/48',
    '::1': '::/48',
    '192.0.2.1': null,
    '::ffff:192.0.2.1': null,
  }
  for (const [text, site] of Object.entries(cases)) {
    it(`${text} lies in ${site}`, () => assert.equal(siteOf(ipOf(text)), site))
  }
})

describe('isPrivate', () => {
  const cases = {
    '10.255.0.1': true,
    '172.16.0.1': true,
    '172.31.255.255': true,
    '172.32.0.1': false,
    '192.168.1.1': true,
    '127.0.0.1': true,
    '127.255.0.1': true,
    '169.254.1.1': true,
    '0.0.0.0': true,
    '::ffff:10.0.0.1': true,
    '::1': true,
    '::': true,
    'fe80::1': true,
    'fd00::1': true,
    '192.0.2.1': false,
    '8.8.8.8': false,
    '2001:db8::1': false,
    '2a00:1450::1': false,
  }
  for (const [text, is] of Object.entries(cases)) {
    it(`${text} is ${is ? '' : 'not '}private`, () => {
      assert.equal(isPrivate(ipOf(text)), is)
    })
  }
})

describe('names and literals of an address', () => {
  it('turns the bytes of IPv4 round', () => {
    assert.equal(reverseLabels(ipOf('192.0.2.1')), '1.2.0.192')
    assert.equal(arpaName(ipOf('192.0.2.1')), '1.2.0.192.in-addr.arpa')
    assert.equal(reverseLabels(ipOf('::ffff:192.0.2.1')), '1.2.0.192')
  })

  it('turns the 32 nibbles of IPv6 round', () => {
    const labels = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'
    assert.equal(reverseLabels(ipOf('2001:db8::1')), labels)
    assert.equal(arpaName(ipOf('2001:db8::1')), `${labels}.ip6.arpa`)
  })

  it('writes a literal that it reads back', () => {
    assert.equal(addressLiteral(ipOf('192.0.2.1')), '[192.0.2.1]')
    assert.equal(addressLiteral(ipOf('2001:DB8::1')), '[IPv6:2001:db8::1]')
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        assert.deepEqual(parseAddressLiteral(addressLiteral(ipOf(text))), ipOf(text))
      }),
    )
  })

  const literals: Readonly<Record<string, string | null>> = {
    '[192.0.2.1]': '192.0.2.1',
    '[IPv4:192.0.2.1]': '192.0.2.1',
    '[IPv6:2001:db8::1]': '2001:db8::1',
    '[ipv6:2001:DB8:0::1]': '2001:db8::1',
    '[2001:db8::1]': '2001:db8::1',
    '[IPv6:::ffff:192.0.2.1]': '192.0.2.1',
    '192.0.2.1': null,
    '[192.0.2.1': null,
    '192.0.2.1]': null,
    '[192.0.2.1]x': null,
    '[192.0.2.10 ]': null,
    '[[192.0.2.1]]': null,
    '[mail.example]': null,
    '[]': null,
  }
  for (const [text, is] of Object.entries(literals)) {
    it(`${text} holds ${is ?? 'no address'}`, () => {
      assert.equal(parseAddressLiteral(text)?.text ?? null, is)
    })
  }
})
