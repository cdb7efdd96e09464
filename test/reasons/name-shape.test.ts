/** Whether a host name spells the address of the host: Botnet's observation, mended. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { addressInName } from '../../src/reasons/name-shape.ts'
import { ipOf } from '../dns/worlds.ts'

const spelt = [
  ['c-67-164-133-216.hsd1.ca.comcast.net', '67.164.133.216', 'four octets'],
  ['216.133.164.67.example.net', '67.164.133.216', 'the other way round'],
  ['dsl092-169-100.wdc2.dsl.speakeasy.net', '66.92.169.100', 'three, one padded'],
  ['201009004158.user.veloxzone.com.br', '201.9.4.158', 'written together with zeros'],
  ['089-100-167029.ntlworld.ie', '89.100.167.29', 'partly together'],
  ['e181186013.adsl.alicedsl.de', '85.181.186.13', 'three together'],
  ['1031167137a4r.maya-dns.net', '103.11.67.137', 'together without zeros'],
  ['dsl88.242-19721.ttnet.net.tr', '88.242.77.9', 'two octets, and two as one number'],
  ['areims-152-1-108-62.w86-208.abo.wanadoo.fr', '86.208.108.62', 'all four, apart'],
  ['pd9e4f89f.dip0.t-ipconnect.de', '217.228.248.159', 'hexadecimal'],
  ['3405803785.isp.example.net', '203.0.113.9', 'one number of 32 bits'],
  ['ns3012345.ip-5-39-78.eu', '5.39.78.10', 'in the registered domain'],
  ['host151.cacotic.com', '147.202.118.151', 'nothing but the last octet'],
  ['host107-73.dissent.birch.net', '69.53.107.73', 'nothing but two octets'],
  ['s0106000fb5ee5549.vs.shawcable.net', '24.83.81.74', 'a hardware address'],
  ['2a01cb0c8f9b7a00.ipv6.abo.example.fr', '2a01:cb0c:8f9b:7a00::1', 'a /64 as nibbles'],
  ['2001-db8-12-34--1.pool.example.net', '2001:db8:12:34::1', 'groups'],
] as const

const not = [
  ['mail-oa1-f41.google.com', '209.85.160.41', 'one octet'],
  ['a8-45.smtp-out.amazonses.com', '54.240.8.45', 'a pair, as large senders number hosts'],
  ['m12-18.163.com', '220.181.12.18', 'a pair again'],
  ['so254-32.mailgun.net', '198.61.254.32', 'a pair again'],
  ['badger07006.apple.com', '17.254.6.173', 'decimal and hexadecimal are not mixed'],
  ['li1234-56.members.linode.com', '172.104.1.56', 'a number is a whole one'],
  ['server5.dc.example.com', '203.7.0.5', 'a small octet'],
  ['web01.dc2.example.com', '10.1.2.3', 'small octets'],
  ['host2.example.com', '209.239.36.136', 'another number'],
  ['mx0a-001ae601.pphosted.com', '67.231.149.25', 'a number of somebody else'],
  ['mail.example.org', '192.0.2.1', 'a name'],
  ['mail.example.org', '2001:db8::1', 'a name'],
  ['x0000000000000000.example.org', '2001:db8::1', 'zeros are in every address'],
] as const

describe('addressInName', () => {
  for (const [name, ip, because] of spelt) {
    it(`finds ${ip} in ${name}: ${because}`, () => {
      assert.notEqual(addressInName(name, ipOf(ip)), null)
    })
  }
  for (const [name, ip, because] of not) {
    it(`does not find ${ip} in ${name}: ${because}`, () => {
      assert.equal(addressInName(name, ipOf(ip)), null)
    })
  }

  it('finds any address that is written out with hyphens, in both directions', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), (octets) => {
        const ip = ipOf(octets.join('.'))
        assert.notEqual(addressInName(`x-${octets.join('-')}.example.net`, ip), null)
        assert.notEqual(addressInName(`${octets.toReversed().join('.')}.example.net`, ip), null)
      }),
    )
  })

  it('takes any text for a name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 253 }), fc.ipV6(), (name, ip) => {
        addressInName(name, ipOf('192.0.2.1'))
        addressInName(name, ipOf(ip))
      }),
    )
  })
})
