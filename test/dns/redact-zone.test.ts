/** No key may be seen; whose list it is should be. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { redactZone } from '../../src/dns/redact-zone.ts'

describe('redactZone', () => {
  const cases: Readonly<Record<string, string>> = {
    // Spamhaus: 26 characters. Abusix: 32, hexadecimal. Both made up.
    'abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net': '….zen.dq.spamhaus.net',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ.pbl.dq.spamhaus.net.': '….pbl.dq.spamhaus.net',
    '0123456789abcdef0123456789abcdef.dynamic.mail.abusix.zone': '….dynamic.mail.abusix.zone',
    'k3y0k3y0k3.spam.spamrats.com': '….spam.spamrats.com',
    'abcdefghijkl.spam.spamrats.com': '….spam.spamrats.com',
    'deadbeef.key5.example.org': '….key5.example.org',
    'k3y0k3y0.example.org': '….example.org',
    '12345678.example.org': '….example.org',
    'abcdefghijkl.example.org': '….example.org',
    'two.abcdefghijkl.keys.example.org': 'two.….keys.example.org',
    [`${'a'.repeat(26)}.example`]: '….example',
    'zen.spamhaus.org': 'zen.spamhaus.org',
    'dyna.spamrats.com': 'dyna.spamrats.com',
    'dul.dnsbl.sorbs.net': 'dul.dnsbl.sorbs.net',
    'b.barracudacentral.org': 'b.barracudacentral.org',
    'dnsbl-1.uceprotect.net': 'dnsbl-1.uceprotect.net',
    'bl.spameatingmonkey.net': 'bl.spameatingmonkey.net',
    'truncate.gbudb.net': 'truncate.gbudb.net',
    'dnsbl.invalid': 'dnsbl.invalid',
  }
  for (const [zone, shown] of Object.entries(cases)) {
    it(`shows ${zone} as ${shown}`, () => assert.equal(redactZone(zone), shown))
  }
})
