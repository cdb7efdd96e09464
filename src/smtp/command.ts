/**
 * Commands as text, turned into values: HELO, MAIL and RCPT (RFC 5321 section 4.1.2).
 *
 * What is malformed gets its reply here. What is well-formed is kept as the client spelt it, since
 * the back end is to judge that and not our idea of it. Liberal in two ways only: a space after the
 * colon, and dots anywhere in a local part, which real systems send.
 */
import {
  fromXtext,
  namesPattern,
  plainSender,
  type Recipient,
  type Sender,
} from '../core/envelope.ts'
import { parseAddressLiteral } from '../core/ip.ts'
import { type Reply, reply } from '../core/reply.ts'
import { wordsOf } from './verbs.ts'

/** Extensions that we and the back end both have; parameters of others are not taken. */
export interface Offered {
  readonly size: boolean
  readonly eightBitMime: boolean
  readonly smtputf8: boolean
  readonly dsn: boolean
  readonly requireTls: boolean
}

export type Parsed<T> = { readonly value: T } | { readonly refusal: Reply }

/** RFC 5321 section 4.5.3.1.2. */
const heloMax = 255
/** RFC 5321 section 4.5.3.1.3, with the angle brackets. */
const pathMax = 256

const syntaxOfMail = reply(501, '5.5.4', 'Syntax: MAIL FROM:<address> [parameters]')
const syntaxOfRcpt = reply(501, '5.5.4', 'Syntax: RCPT TO:<address> [parameters]')
const badSender = reply(501, '5.1.7', 'Bad sender address syntax')
const badRecipient = reply(501, '5.1.3', 'Bad recipient address syntax')

/** @param line "EHLO mail.example.org". */
export function parseHelo(line: string): Parsed<string> {
  const [verb = '', name = '', ...rest] = wordsOf(line)
  // Nothing that starts a command in a shell, ends a quotation or is expanded by Exim.
  const wellFormed = /^[\p{L}\p{M}\p{N}._:[\]/@+*!?#%~^-]+$/u.test(name)
  if (rest.length > 0 || !wellFormed || Buffer.byteLength(name) > heloMax) {
    return { refusal: reply(501, '5.5.4', `Syntax: ${verb.toUpperCase()} hostname`) }
  }
  return { value: name }
}

/** @param line "MAIL FROM:<alice@example.org> SIZE=1000". */
export function parseMail(line: string, offered: Offered): Parsed<Sender> {
  const split = splitCommand(line, mailForm)
  if (split === null) return { refusal: syntaxOfMail }
  const parameters = parseParameters(split.rest)
  if ('refusal' in parameters) return parameters
  const smtputf8 = parameters.value.has('SMTPUTF8')
  const address = split.path === '<>' ? '' : parsePath(split.path, smtputf8)
  if (address === null) return { refusal: badSender }
  return senderOf(address, parameters.value, offered)
}

/** @param line "RCPT TO:<bob@example.net> NOTIFY=NEVER". */
export function parseRcpt(line: string, offered: Offered, smtputf8: boolean): Parsed<Recipient> {
  const split = splitCommand(line, rcptForm)
  if (split === null) return { refusal: syntaxOfRcpt }
  const parameters = parseParameters(split.rest)
  if ('refusal' in parameters) return parameters
  // RFC 5321 section 4.1.1.3: postmaster alone is always an address.
  const address = /^<postmaster>$/i.test(split.path)
    ? split.path.slice(1, -1)
    : parsePath(split.path, smtputf8)
  if (address === null) return { refusal: badRecipient }
  return recipientOf(address, parameters.value, offered)
}

/** It may hold quoted spaces and brackets. */
const pathPattern = '<(?:[^<>"\\\\]|"(?:[^"\\\\]|\\\\.)*")*>'
const mailForm = new RegExp(`^MAIL FROM: *(${pathPattern})`, 'i')
const rcptForm = new RegExp(`^RCPT TO: *(${pathPattern})`, 'i')

function splitCommand(line: string, form: RegExp): { path: string; rest: string } | null {
  const [front = '', path] = form.exec(line) ?? []
  const rest = line.slice(front.length)
  return path !== undefined && (rest === '' || rest.startsWith(' ')) ? { path, rest } : null
}

const atext = "[\\w!#$%&'*+/=?^`{|}~.-]"
const asciiLocal = new RegExp(`^(?:${atext}+|"(?:[ !#-\\[\\]-~]|\\\\[ -~])*")$`)
const utf8Local =
  /^(?:[\w!#$%&'*+/=?^`{|}~.\u00a0-\u{10ffff}-]+|"(?:[ !#-[\]-~\u00a0-\u{10ffff}]|\\[ -~])*")$/u
const asciiDomain = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i
const utf8Domain = new RegExp(`^${namesPattern}$`, 'u')

/** The address in a path, without a source route (RFC 5321 appendix C); null when it is none. */
function parsePath(path: string, smtputf8: boolean): string | null {
  if (Buffer.byteLength(path) > pathMax) return null
  const address = path.slice(1, -1).replace(/^@[^\s,:@]+(?:,@[^\s,:@]+)*:/, '')
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  const domain = address.slice(at + 1)
  if (at < 1 || !(smtputf8 ? utf8Local : asciiLocal).test(local)) return null
  if (domain.startsWith('[')) return parseAddressLiteral(domain) === null ? null : address
  return (smtputf8 ? utf8Domain : asciiDomain).test(domain) ? address : null
}

type Parameters = ReadonlyMap<string, string>

const without: Parsed<Parameters> = { value: new Map() }

/** RFC 5321 section 4.1.2: keyword, or keyword=value, each once. */
function parseParameters(text: string): Parsed<Parameters> {
  if (text === '') return without
  const found = new Map<string, string>()
  for (const part of wordsOf(text)) {
    const [, keyword, value] =
      /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e]+))?$/.exec(part) ?? []
    if (keyword === undefined) return bad(`Bad parameter syntax`)
    if (found.has(keyword.toUpperCase())) return bad(`${keyword.toUpperCase()} given twice`)
    found.set(keyword.toUpperCase(), value ?? '')
  }
  return { value: found }
}

function senderOf(address: string, given: Parameters, offered: Offered): Parsed<Sender> {
  if (given.size === 0) return { value: plainSender(address) }
  const known = [
    // RFC 4954 section 5: always taken, and left out where it is not believed.
    'AUTH',
    ...(offered.size ? ['SIZE'] : []),
    ...(offered.eightBitMime ? ['BODY'] : []),
    ...(offered.smtputf8 ? ['SMTPUTF8'] : []),
    ...(offered.dsn ? ['RET', 'ENVID'] : []),
    ...(offered.requireTls ? ['REQUIRETLS'] : []),
  ]
  const fault = faultIn(given, known)
  if (fault !== null) return { refusal: fault }
  const size = given.get('SIZE')
  return {
    value: {
      address,
      size: size === undefined ? null : Number(size),
      body: oneOf(given.get('BODY'), ['7BIT', '8BITMIME']),
      smtputf8: given.has('SMTPUTF8'),
      requireTls: given.has('REQUIRETLS'),
      ret: oneOf(given.get('RET'), ['FULL', 'HDRS']),
      envid: fromXtext(given.get('ENVID') ?? '') || null,
    },
  }
}

function recipientOf(address: string, given: Parameters, offered: Offered): Parsed<Recipient> {
  if (given.size === 0) return { value: { address, notify: null, orcpt: null } }
  const fault = faultIn(given, offered.dsn ? ['NOTIFY', 'ORCPT'] : [])
  if (fault !== null) return { refusal: fault }
  const notify = given.get('NOTIFY')?.toUpperCase() ?? null
  const [, type = '', encoded = ''] = orcptForm.exec(given.get('ORCPT') ?? '') ?? []
  const original = fromXtext(encoded)
  const orcpt = type === '' || original === null ? null : { type, address: original }
  return { value: { address, notify, orcpt } }
}

const orcptForm = /^([A-Za-z0-9-]+);(.+)$/

/** What the value of a parameter looks like (RFC 1870, 6152, 6531, 3461). */
const forms: Readonly<Record<string, { fits(value: string): boolean; readonly expects: string }>> =
  {
    SIZE: { fits: (value) => /^\d{1,20}$/.test(value), expects: 'a number of bytes' },
    BODY: { fits: (value) => /^(?:7BIT|8BITMIME)$/i.test(value), expects: '7BIT or 8BITMIME' },
    SMTPUTF8: { fits: (value) => value === '', expects: 'no value' },
    REQUIRETLS: { fits: (value) => value === '', expects: 'no value' },
    RET: { fits: (value) => /^(?:FULL|HDRS)$/i.test(value), expects: 'FULL or HDRS' },
    ENVID: { fits: isXtext, expects: 'xtext' },
    AUTH: { fits: (value) => value === '<>' || isXtext(value), expects: 'xtext or <>' },
    NOTIFY: {
      fits: (value) =>
        /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2})$/i.test(value),
      expects: 'NEVER or a list of SUCCESS, FAILURE, DELAY',
    },
    ORCPT: { fits: (value) => isXtext(orcptForm.exec(value)?.[2] ?? ''), expects: 'type;xtext' },
  }

function isXtext(value: string): boolean {
  return value !== '' && fromXtext(value) !== null
}

function oneOf<T extends string>(value: string | undefined, choices: readonly T[]): T | null {
  return choices.find((choice) => choice === value?.toUpperCase()) ?? null
}

/** The refusal of the first parameter that was not offered (RFC 5321 section 4.1.1.11) or is malformed. */
function faultIn(given: Parameters, known: readonly string[]): Reply | null {
  for (const [keyword, value] of given) {
    if (!known.includes(keyword))
      return reply(555, '5.5.4', `${keyword} parameter not recognized or not offered`)
    const form = forms[keyword]
    if (form?.fits(value) === false) return reply(501, '5.5.4', `${keyword} takes ${form.expects}`)
  }
  return null
}

function bad(what: string): { refusal: Reply } {
  return { refusal: reply(501, '5.5.4', what) }
}
