/** Botnet 0.8 to the letter: the table of vectors that its own functions gave (facts.md 1.6). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  letterClientWords,
  letterFinds,
  letterIpInName,
  letterPattern,
  letterServerWords,
} from '../../src/reasons/botnet-letter.ts'
import { ipOf } from '../dns/worlds.ts'

/** Name, address, then: address in name, client word, server word, client. */
const vectors = [
  ['adsl-70-240-12-34.dsl.hstntx.swbell.net', '70.240.12.34', '1101'],
  ['dialup-free-349.nmsu.edu', '128.123.221.93', '0101'],
  ['c-67-164-133-216.hsd1.ca.comcast.net', '67.164.133.216', '1001'],
  ['pD9E4F89F.dip0.t-ipconnect.de', '217.228.248.159', '1101'],
  ['mail-oa1-f41.google.com', '209.85.160.41', '0010'],
  ['mail-dm6nam12on2041.outbound.protection.outlook.com', '40.107.243.41', '0010'],
  ['a8-45.smtp-out.amazonses.com', '54.240.8.45', '1010'],
  ['o167-89-97-77.outbound-mail.sendgrid.net', '167.89.97.77', '1010'],
  ['ec2-52-10-20-30.us-west-2.compute.amazonaws.com', '52.10.20.30', '1001'],
  ['ns3012345.ip-5-39-78.eu', '5.39.78.10', '0000'],
  ['static.88-198-51-100.clients.your-server.de', '88.198.51.100', '1101'],
  ['li1234-56.members.linode.com', '172.104.1.56', '1001'],
  ['server5.dc.example.com', '203.7.0.5', '1001'],
  ['web01.dc2.example.com', '10.1.2.3', '1001'],
  ['mail.dsl.co.uk', '192.0.2.9', '0110'],
  ['dsl.co.uk', '192.0.2.9', '0101'],
  ['user1.isp.net', '203.0.113.9', '0101'],
  ['users.isp.example.net', '203.0.113.9', '0000'],
  ['client_7.isp.example.net', '203.0.113.9', '0000'],
  ['client-7.isp.example.net', '203.0.113.9', '0101'],
  ['wdslx.isp.example.net', '203.0.113.9', '0101'],
  ['email.static.isp.example.net', '203.0.113.9', '0110'],
  ['static.email.com', '203.0.113.9', '0101'],
  ['cb007109.isp.example.net', '203.0.113.9', '1001'],
  ['3405803785.isp.example.net', '203.0.113.9', '1001'],
  ['h28937.isp.example.net', '203.0.113.9', '1001'],
  ['113-9.example.net', '203.0.113.9', '1001'],
] as const

const client = letterPattern(letterClientWords)
const server = letterPattern(letterServerWords)

describe('Botnet 0.8 to the letter', () => {
  for (const [name, ip, expected] of vectors) {
    it(`${name} [${ip}]: ${expected}`, () => {
      const inName = letterIpInName(name, ipOf(ip))
      const words = [letterFinds(client, name), letterFinds(server, name)]
      const isClient = (inName || words[0] === true) && words[1] !== true
      const bits = [inName, ...words, isClient].map((bit) => (bit ? '1' : '0')).join('')
      assert.equal(bits, expected)
    })
  }

  it('never finds an IPv6 address in a name', () => {
    assert.equal(letterIpInName('2001-db8--1.pool.example.net', ipOf('2001:db8::1')), false)
  })

  it('matches nothing with an empty list of words', () => {
    assert.equal(letterPattern([]), null)
    assert.equal(letterFinds(null, 'dsl.pool.example.net'), false)
  })

  it('strips anchors from words, and takes case for nothing', () => {
    assert.equal(letterFinds(letterPattern(['^cable$']), 'x-CABLE-1.isp.example.net'), true)
  })

  it('takes no time for a long name that was made to take some', () => {
    const name = `${'dsl.'.repeat(62)}x`
    assert.equal(letterFinds(letterPattern(letterClientWords), name), true)
    assert.equal(letterFinds(letterPattern(['.*.*.*.*z']), `${'a'.repeat(250)}.b.c`), false)
  })
})
