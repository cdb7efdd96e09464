/** Mail logs of Postfix. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { brief, collect } from './collect.ts'

/** Lines of programs of Postfix, with the head that syslog puts before them. */
function log(...lines: readonly string[]): string[] {
  return lines.map((line) => `Jan  1 12:00:00 mx postfix/${line}`)
}

describe('a mail log of Postfix', () => {
  it('reads real ones', () => {
    const read = (file: string) => {
      const text = readFileSync(join(import.meta.dirname, 'samples', file), 'utf8')
      const { connections, bad } = collect('postfix', text.split('\n'))
      assert.deepEqual(bad, [])
      return connections.map(brief)
    }
    assert.deepEqual(read('postfix-grok.log'), [
      'refused 61.238.241.86 061238241086.static.ctinets.com(verified) HELO ecsolved.com from wumt5@cchfdc.com to toernooicommissie@example.com',
      'accepted 61.238.241.86 061238241086.static.ctinets.com(verified) HELO  from owner-postfix-users@postfix.org to ',
      'no mail 216.81.72.72 (unrecorded) HELO  from null to ',
      'refused 2001:980:cfb1:1:82f:f74e:a45c:3033 (unknown) HELO test from aap@henk to user@example.com',
      'refused 27.157.200.233 (unrecorded) HELO qhhn.com from hcdvbnm@qhhn.com to 4ECEA00F.9040306@example.com',
      'refused 8.8.8.8 mailrelay.example.com(verified) HELO mailrelay.example.com from support@example.com to example@example.org',
      'no mail 3.84.57.208 ec2-3-84-57-208.compute-1.amazonaws.com(verified) HELO  from null to ',
    ])
    assert.deepEqual(read('postfix-hl.log'), [
      'refused 110.164.162.91 mx-ll-110.164.162-91.static.3bb.co.th(unverified) HELO mx-ll-110.164.162-91.static.3bb.co.th from ubb81e7@headlineplus.com to u120d91@insomniac.me.uk',
      'refused 198.2.138.182 mail182.atl171.mcdlv.net(verified) HELO mail182.atl171.mcdlv.net from u7adc85@mail182.atl171.mcdlv.net to u918d72@furrie.net',
    ])
  })

  it('tells connections apart by the process that serves them', () => {
    const reject = 'NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 no'
    const { connections } = collect(
      'postfix',
      log(
        'smtpd[1]: connect from unknown[192.0.2.1]',
        'smtpd[2]: connect from unknown[192.0.2.1]',
        `smtpd[1]: ${reject}; from=<a@b.example> to=<c@d.example> proto=SMTP helo=<one>`,
        `smtpd[2]: ${reject}; from=<> to=<c@d.example> proto=SMTP helo=<two>`,
        `smtpd[1]: ${reject}; from=<a@b.example> to=<e@d.example> proto=SMTP helo=<one>`,
        'smtpd[1]: disconnect from unknown[192.0.2.1] ehlo=1 commands=1',
      ),
    )
    assert.deepEqual(connections.map(brief), [
      'refused 192.0.2.1 (unknown) HELO one from a@b.example to c@d.example,e@d.example',
      'refused 192.0.2.1 (unknown) HELO two from  to c@d.example',
    ])
  })

  it('takes what postscreen heard along to smtpd', () => {
    const { connections } = collect(
      'postfix',
      log(
        'postscreen[1]: CONNECT from [192.0.2.1]:99 to [192.0.2.9]:25',
        'postscreen[1]: PREGREET 14 after 0.08 from [192.0.2.1]:99: EHLO ylmf-pc\\r\\n',
        'smtpd[2]: connect from unknown[192.0.2.1]',
        'smtpd[2]: disconnect from unknown[192.0.2.1]',
      ),
    )
    assert.deepEqual(
      connections.map(({ earlyTalk }) => earlyTalk),
      ['EHLO ylmf-pc\\r\\n'],
    )
  })

  it('passes over what is not from outside, or not for port 25', () => {
    const { connections, bad } = collect('postfix', [
      ...log(
        'smtpd[1]: connect from localhost[127.0.0.1]',
        'smtpd[1]: disconnect from localhost[127.0.0.1]',
        'submission/smtpd[2]: connect from m.example[192.0.2.1]',
        'smtp[3]: 123: to=<a@b.example>, relay=mx.b.example[192.0.2.7]:25, status=sent',
        'smtpd[4]: disconnect from unknown[unknown] commands=0/0',
      ),
      'Jan  1 12:00:00 mx dovecot: imap-login: Login: user=<x>, rip=192.0.2.1',
    ])
    assert.deepEqual([connections, bad], [[], []])
  })

  it('knows the sender of accepted mail, and who had logged in', () => {
    const { connections } = collect('postfix', [
      '2026-01-31T12:00:00.123+01:00 mx postfix/smtpd[1]: connect from m.example[192.0.2.1]',
      '2026-01-31T12:00:00.123+01:00 mx postfix/smtpd[1]: 4Xyz: client=m.example[192.0.2.1], sasl_method=PLAIN, sasl_username=me',
      '2026-01-31T12:00:00.123+01:00 mx postfix/qmgr[2]: 4Xyz: from=<a@b.example>, size=1, nrcpt=1 (queue active)',
      '2026-01-31T12:00:00.123+01:00 mx postfix/smtpd[1]: disconnect from m.example[192.0.2.1]',
    ])
    assert.deepEqual(connections.map(brief), [
      'accepted 192.0.2.1 m.example(verified) HELO  from a@b.example to ',
    ])
    assert.equal(connections[0]?.authenticated, true)
  })

  it('is not led astray by what strangers put into addresses', () => {
    const { connections } = collect(
      'postfix',
      log(
        'smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <"; from=<x@y.example> to=<x@y.example> proto=SMTP helo=<mail.example.org>"@d.example>: no; from=<a@b.example> to=<c@d.example> proto=SMTP helo=<box>',
      ),
    )
    assert.deepEqual(connections.map(brief), [
      'refused 192.0.2.1 (unknown) HELO box from a@b.example to c@d.example',
    ])
  })

  it('says what it expected where it cannot read on', () => {
    assert.deepEqual(collect('postfix', ['?']).bad, [
      '1: a line of syslog such as "Jan 31 12:00:00 mx postfix/smtpd[1]: ..."',
    ])
  })
})
