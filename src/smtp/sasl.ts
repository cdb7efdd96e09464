/**
 * AUTH PLAIN (RFC 4616) and LOGIN (RFC 4954): what a client says becomes a user and a password.
 *
 * Knows nothing of who is right. Each line must be base64 to the letter: what one reads leniently
 * another reads as something else, and the back end is told what we have read.
 */
import { isUtf8 } from 'node:buffer'
import { type Reply, reply } from '../core/reply.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** Asks with 334 for one line after the other, until it knows, or knows why not. */
export type Exchange = Generator<Reply, Credentials | Reply, string>

export const needsTls = reply(538, '5.7.11', 'AUTH is for connections under TLS: STARTTLS first')
export const tooLong = reply(501, '5.5.2', 'Line too long')
const syntax = reply(501, '5.5.4', 'Syntax: AUTH PLAIN|LOGIN [base64]')
const unknownMechanism = reply(504, '5.5.4', 'Only PLAIN and LOGIN')
const malformed = reply(501, '5.5.2', 'That is not what this mechanism says, in base64')
const aborted = reply(501, '5.7.0', 'Login aborted')
const onlyOneself = reply(535, '5.7.8', 'Nobody may log in for somebody else')

/** Longest user or password (RFC 4616 section 2 has 255 characters for either). */
const wordMax = 1_024

/** @param line "AUTH PLAIN AHVzZXIAcGFzc3dvcmQ=". */
export function* exchange(line: string): Exchange {
  const [, mechanism = '', initial, ...rest] = line.trim().split(/ +/)
  if (mechanism === '' || rest.length > 0) return syntax
  if (/^plain$/i.test(mechanism)) return yield* plain(initial)
  if (/^login$/i.test(mechanism)) return yield* login(initial)
  return unknownMechanism
}

function* plain(initial: string | undefined): Exchange {
  const text = decoded(initial ?? (yield reply(334, '', '')))
  if (typeof text !== 'string') return text
  const [asWhom = '', who = '', password, ...rest] = text.split('\0')
  if (password === undefined || rest.length > 0) return malformed
  // Many programs say who they are in the first field and nothing in the second.
  const user = who === '' ? asWhom : who
  if (asWhom !== '' && asWhom !== user) return onlyOneself
  return credentials(user, password)
}

function* login(initial: string | undefined): Exchange {
  const user = decoded(initial ?? (yield asking('Username:')))
  if (typeof user !== 'string') return user
  const password = decoded(yield asking('Password:'))
  if (typeof password !== 'string') return password
  return credentials(user, password)
}

function asking(what: string): Reply {
  return reply(334, '', Buffer.from(what).toString('base64'))
}

/** @param said "=" stands for nothing (RFC 4954 section 4), "*" gives up. */
function decoded(said: string): string | Reply {
  if (said === '*') return aborted
  if (said !== '=' && !base64.test(said)) return malformed
  const bytes = Buffer.from(said, 'base64')
  return isUtf8(bytes) ? bytes.toString() : malformed
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function credentials(user: string, password: string): Credentials | Reply {
  const tooLong = user.length > wordMax || password.length > wordMax
  if (user === '' || tooLong || controls.test(user) || password.includes('\0')) return malformed
  return { user, password }
}

const controls = /\p{Cc}/u
