/** Reads the secret that the admin server asks for. */
import { readFileSync } from 'node:fs'
import { ConfigError, messageOf } from '../core/errors.ts'
import type { AdminOptions } from './options.ts'

const lengthMin = 16

/** null when nobody is to be asked. @throws ConfigError */
export function readToken({ token_file }: AdminOptions): string | null {
  if (token_file === '') return null
  const token = readSecret(token_file)
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= lengthMin) return token
  throw wrong(`${token_file}: expected a secret of at least ${lengthMin} characters in one line`)
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw wrong(messageOf(error))
  }
}

function wrong(what: string): ConfigError {
  return new ConfigError([{ where: '', key: 'admin.token_file', what }])
}
