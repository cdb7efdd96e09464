/** HELO, MAIL and RCPT lines, well-formed and not (catalogue D and F). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Offered, parseHelo, parseMail, parseRcpt } from '../../src/smtp/command.ts'

const everything: Offered = {
  size: true,
  eightBitMime: true,
  smtputf8: true,
  dsn: true,
  requireTls: true,
}
const nothing: Offered = {
  size: false,
  eightBitMime: false,
  smtputf8: false,
  dsn: false,
  requireTls: false,
}

const names = [
  { name: 'mail.example.org', good: true, because: 'a name' },
  { name: 'computer', good: true, because: 'D2: a bare word is a reason, not an error' },
  { name: '[203.0.113.9]', good: true, because: 'D5: a literal' },
  { name: '[IPv6:2001:db8::1]', good: true, because: 'D6: a literal' },
  { name: '[ipv6:2001:db8::1]', good: true, because: 'D6: in any case' },
  { name: 'host_1.example.org', good: true, because: 'underscores are in daily use' },
  { name: 'bücher.example', good: true, because: 'RFC 6531 section 3.7.1' },
  { name: 'mail.example.org.', good: true, because: 'a final dot' },
  { name: 'a\0b.example.com', good: false, because: 'B3: NUL' },
  { name: `\${run{/bin/id}}`, good: false, because: 'D13: Exim would expand it' },
  { name: '() { :;}; /bin/id', good: false, because: 'D14: shellshock' },
  { name: `\${jndi:ldap://x}`, good: false, because: 'D15' },
  { name: 'a;b', good: false, because: 'a shell would act on it' },
  { name: 'a|b', good: false, because: 'a shell would act on it' },
  { name: 'a`b`', good: false, because: 'a shell would act on it' },
  { name: 'a"b', good: false, because: 'it would end a quoted string' },
  { name: 'a\x1b[2J', good: false, because: 'B13: a terminal escape' },
  { name: 'a\u202eb', good: false, because: 'it turns a line of a log round' },
  { name: 'a\v', good: false, because: 'no space of SMTP' },
  { name: '\u00a0a', good: false, because: 'nor is that' },
  { name: 'two words', good: false, because: 'one argument' },
  { name: '', good: false, because: 'no argument' },
  { name: 'a'.repeat(255), good: true, because: 'D16: the longest' },
  { name: 'a'.repeat(256), good: false, because: 'D16: one longer' },
  { name: 'a'.repeat(4_096), good: false, because: 'D16' },
  { name: 'ü'.repeat(128), good: false, because: 'D16: octets count' },
]

describe('parseHelo', () => {
  for (const { name, good, because } of names) {
    it(`${good ? 'takes' : 'refuses'} ${JSON.stringify(name.slice(0, 40))}: ${because}`, () => {
      const parsed = parseHelo(`EHLO ${name}`)
      if (good) assert.deepEqual(parsed, { value: name })
      else assert.equal('refusal' in parsed && parsed.refusal.code, 501)
    })
  }
})

const senders = [
  { given: '<alice@example.org>', address: 'alice@example.org', because: 'the usual' },
  { given: '<>', address: '', because: 'the null reverse-path' },
  { given: ' <alice@example.org>', address: 'alice@example.org', because: 'F2: a space' },
  { given: '<Alice@EXAMPLE.org>', address: 'Alice@EXAMPLE.org', because: 'spelling is kept' },
  { given: '<a..b.@example.org>', address: 'a..b.@example.org', because: 'real systems send it' },
  { given: '<"a@b"@example.org>', address: '"a@b"@example.org', because: 'F17: quoted @' },
  { given: 'alice@example.org', code: 501, because: 'F3: no brackets' },
  { given: '<alice>', code: 501, because: 'no domain' },
  { given: '<a\0@example.org>', code: 501, because: 'F5: NUL' },
  { given: '<a\r\n@example.org>', code: 501, because: 'a line break' },
  { given: '<;sleep 66;@example.org>', code: 501, because: 'F22' },
  { given: '<;sleep@example.org>', code: 501, because: 'F22: a semicolon is no atext' },
  { given: '<alice@example.org', code: 501, because: 'no end' },
  { given: '<alice@example.org>x', code: 501, because: 'something after the path' },
  { given: '<a@b@example.org>', code: 501, because: 'two @' },
  { given: '<@example.org>', code: 501, because: 'no local part' },
  { given: '<alice@-example.org>', code: 501, because: 'no label begins so' },
  { given: '<alice@example..org>', code: 501, because: 'an empty label' },
  { given: `<${'a'.repeat(250)}@b.cd>`, code: 501, because: 'longer than a path may be' },
  { given: '<m\u00fcller@example.org>', code: 501, because: 'not without SMTPUTF8' },
  {
    given: '<m\u00fcller@b\u00fccher.example> SMTPUTF8',
    address: 'm\u00fcller@b\u00fccher.example',
    because: 'RFC 6531',
  },
  { given: '<m\u0085ller@example.org> SMTPUTF8', code: 501, because: 'a C1 control is no letter' },
  { given: '<a@example.org>\x1b[2J', code: 501, because: 'B13' },
  { given: '<a@example.org> SIZE=-1', code: 501, because: 'F8' },
  { given: '<a@example.org> SIZE=abc', code: 501, because: 'F8' },
  { given: '<a@example.org> SIZE=', code: 501, because: 'F8' },
  { given: '<a@example.org> SIZE', code: 501, because: 'F8' },
  { given: '<a@example.org> SIZE=123456789012345678901', code: 501, because: 'F8: 21 digits' },
  { given: '<a@example.org> BODY=8BITMIME BODY=7BIT', code: 501, because: 'F9: twice' },
  { given: '<a@example.org> RET=FULL ret=HDRS', code: 501, because: 'F9: twice' },
  { given: '<a@example.org> BODY=BINARYMIME', code: 501, because: 'we have no BDAT' },
  { given: '<a@example.org> SMTPUTF8=yes', code: 501, because: 'it takes no value' },
  { given: '<a@example.org> ENVID=a+0D+0Ab', code: 501, because: 'a hidden line break' },
  { given: '<a@example.org> AUTH=<x+0D+0A>', code: 501, because: 'F10: a hidden line break' },
  { given: '<a@example.org> AUTH=<>', address: 'a@example.org', because: 'RFC 4954: left out' },
  { given: '<a@example.org> AUTH=b+40c', address: 'a@example.org', because: 'RFC 4954: left out' },
  { given: '<a@example.org> REQUIRETLS=1', code: 501, because: 'it takes no value' },
  { given: '<a@example.org> X=1', code: 555, because: 'nobody offered it' },
  { given: '<a@example.org> CONSTRUCTOR', code: 555, because: 'an object has it, we do not' },
  { given: '<a@example.org> =1', code: 501, because: 'no keyword' },
  {
    given: '<@relay.example:a@example.org>',
    address: 'a@example.org',
    because: 'a source route is ignored (RFC 5321 appendix C)',
  },
]

describe('parseMail', () => {
  for (const { given, address, code, because } of senders) {
    it(`${address === undefined ? 'refuses' : 'takes'} ${JSON.stringify(given.slice(0, 50))}: ${because}`, () => {
      const parsed = parseMail(`MAIL FROM:${given}`, everything)
      if ('refusal' in parsed) assert.equal(parsed.refusal.code, code)
      else assert.equal(parsed.value.address, address)
    })
  }

  it('takes all parameters in any case', () => {
    const line =
      'mail from:<a@b.example> size=77 Body=8bitmime SMTPutf8 RET=hdrs ENVID=q+2Bq auth=<> RequireTLS'
    assert.deepEqual(parseMail(line, everything), {
      value: {
        address: 'a@b.example',
        size: 77,
        body: '8BITMIME',
        smtputf8: true,
        requireTls: true,
        ret: 'HDRS',
        envid: 'q+q',
      },
    })
  })

  it('reads a size of twenty digits as what it is: far too large (F8)', () => {
    const parsed = parseMail('MAIL FROM:<a@b.example> SIZE=99999999999999999999', everything)
    assert.ok('value' in parsed && (parsed.value.size ?? 0) > Number.MAX_SAFE_INTEGER)
  })

  for (const given of ['SIZE=1', 'BODY=7BIT', 'SMTPUTF8', 'RET=FULL', 'ENVID=a', 'REQUIRETLS']) {
    it(`answers 555 to ${given} where it was not offered (F7, F31)`, () => {
      const parsed = parseMail(`MAIL FROM:<a@b.example> ${given}`, nothing)
      assert.equal('refusal' in parsed && parsed.refusal.code, 555)
    })
  }

  for (const line of [
    'MAIL',
    'MAIL FROM',
    'MAIL TO:<a@b.c>',
    'MAIL FROM :<a@b.c>',
    'MAIL<a@b.c>',
  ]) {
    it(`answers 501 to ${JSON.stringify(line)}`, () => {
      const parsed = parseMail(line, everything)
      assert.equal('refusal' in parsed && parsed.refusal.code, 501)
    })
  }
})

const recipients = [
  { given: '<bob@example.net>', address: 'bob@example.net', because: 'the usual' },
  { given: '<victim.org!x@example.net>', address: 'victim.org!x@example.net', because: 'F15' },
  { given: '<x%victim.org@example.net>', address: 'x%victim.org@example.net', because: 'F15' },
  { given: '<"x@v.org"@example.net>', address: '"x@v.org"@example.net', because: 'F17' },
  { given: '<"x@victim.org">', code: 501, because: 'F17: no domain' },
  { given: '<x@[127.0.0.1]>', address: 'x@[127.0.0.1]', because: 'F18: the back end decides' },
  { given: '<x@[IPv6:::1]>', address: 'x@[IPv6:::1]', because: 'F18' },
  { given: '<x@[no address]>', code: 501, because: 'F18' },
  { given: '<postmaster>', address: 'postmaster', because: 'F19: always an address' },
  { given: '<PostMaster>', address: 'PostMaster', because: 'F19: in any case' },
  { given: '<abuse>', code: 501, because: 'F19: only the postmaster goes without a domain' },
  { given: '<"a b"@example.net>', address: '"a b"@example.net', because: 'F23' },
  { given: '<"a\\"b"@example.net>', address: '"a\\"b"@example.net', because: 'F23' },
  { given: '<"a>b"@example.net>', address: '"a>b"@example.net', because: 'F23' },
  { given: '<""@example.net>', address: '""@example.net', because: 'F24' },
  { given: '<>', code: 501, because: 'nobody' },
  { given: '<@relay.example:x@victim>', address: 'x@victim', because: 'judged by where it goes' },
  { given: '<b@example.net> NOTIFY=NEVER,DELAY', code: 501, because: 'NEVER stands alone' },
  { given: '<b@example.net> NOTIFY=SOMETIMES', code: 501, because: 'RFC 3461 section 4.1' },
  { given: '<b@example.net> ORCPT=x', code: 501, because: 'no type' },
  { given: '<b@example.net> ORCPT=rfc822;a+0Ab', code: 501, because: 'a hidden line break' },
  { given: '<b@example.net> SIZE=1', code: 555, because: 'it belongs to MAIL' },
]

describe('parseRcpt', () => {
  for (const { given, address, code, because } of recipients) {
    it(`${address === undefined ? 'refuses' : 'takes'} ${JSON.stringify(given)}: ${because}`, () => {
      const parsed = parseRcpt(`RCPT TO:${given}`, everything, false)
      if ('refusal' in parsed) assert.equal(parsed.refusal.code, code)
      else assert.equal(parsed.value.address, address)
    })
  }

  it('takes DSN parameters where they are offered, and only there', () => {
    const line = 'RCPT TO:<b@example.net> NOTIFY=success,delay ORCPT=rfc822;b+2Bc@example.net'
    assert.deepEqual(parseRcpt(line, everything, false), {
      value: {
        address: 'b@example.net',
        notify: 'SUCCESS,DELAY',
        orcpt: { type: 'rfc822', address: 'b+c@example.net' },
      },
    })
    const refused = parseRcpt(line, nothing, false)
    assert.equal('refusal' in refused && refused.refusal.code, 555)
  })
})
