/** Where the programs we test with are on this machine, and the accounts they need. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const cache = join(import.meta.dirname, '../../../node_modules/.cache/treacle-mta')
/** Postfix is unpacked into this folder where it cannot be installed beside Exim. */
export const UNPACKED_POSTFIX = join(cache, 'postfix')
/** Sendmail and the macros that its configuration is made of always are. */
export const UNPACKED_SENDMAIL = join(cache, 'sendmail')
export const UNPACKED_SENDMAIL_CF = join(cache, 'sendmail-cf')
/** OpenSMTPD always is. */
export const UNPACKED_OPENSMTPD = join(cache, 'opensmtpd')
/** Haraka comes from npm. */
export const UNPACKED_HARAKA = join(cache, 'haraka')

/** Servers live in sbin, which only root has in its PATH. */
const folders = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']

/** The full path of the first of these commands that is there. */
export function findCommand(...names: readonly string[]): string | undefined {
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return candidates.find(isExecutable)
}

/** The same, for those who cannot go on without it. */
export function requireCommand(...names: readonly string[]): string {
  const command = findCommand(...names)
  if (command === undefined) {
    throw new Error(`no ${names.join(' or ')} on this machine: run "node test/mta/packages.ts"`)
  }
  return command
}

/** A Postfix: its daemons, its commands, and what it must be told when it is not installed. */
export interface PostfixHome {
  readonly daemons: string
  readonly commands: string
  readonly config: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
}

/** The unpacked Postfix, or else an installed one. */
export function findPostfix(): PostfixHome | undefined {
  const unpacked = unpackedPostfix()
  if (isExecutable(join(unpacked.daemons, 'master'))) return unpacked
  const daemons = ['/usr/lib/postfix/sbin', '/usr/libexec/postfix', '/usr/lib/postfix']
  const commands = '/usr/sbin'
  for (const folder of daemons) {
    if (isExecutable(join(folder, 'master'))) {
      return { daemons: folder, commands, config: {}, env: {} }
    }
  }
  return undefined
}

function unpackedPostfix(): PostfixHome {
  const libraries = join(UNPACKED_POSTFIX, 'usr/lib/postfix')
  const daemons = join(libraries, 'sbin')
  const commands = join(UNPACKED_POSTFIX, 'usr/sbin')
  const config = {
    command_directory: commands,
    daemon_directory: daemons,
    shlib_directory: libraries,
    meta_directory: join(UNPACKED_POSTFIX, 'etc/postfix'),
    import_environment: 'LD_LIBRARY_PATH MAIL_CONFIG',
    export_environment: 'LD_LIBRARY_PATH MAIL_CONFIG',
  }
  return { daemons, commands, config, env: { LD_LIBRARY_PATH: libraries } }
}

/** Whether Sendmail has been unpacked. */
export function hasSendmail(): boolean {
  return isExecutable(join(UNPACKED_SENDMAIL, 'usr/libexec/sendmail/sendmail'))
}

export function hasSendmailMacros(): boolean {
  return existsSync(join(UNPACKED_SENDMAIL_CF, 'usr/share/sendmail/cf/m4/cf.m4'))
}

/** Whether OpenSMTPD has been unpacked. */
export function hasOpensmtpd(): boolean {
  return isExecutable(join(UNPACKED_OPENSMTPD, 'usr/sbin/smtpd'))
}

/** Whether Haraka has been installed into its folder. */
export function hasHaraka(): boolean {
  return existsSync(join(UNPACKED_HARAKA, 'node_modules/Haraka/bin/haraka'))
}

/** Whether Dovecot is installed, and LMTP with it. */
export function hasDovecot(): boolean {
  return findCommand('dovecot') !== undefined && isExecutable('/usr/lib/dovecot/lmtp')
}

/** The numbers of a user, from /etc/passwd: name, password, user id, group id, and more. */
export function findUser(name: string): { readonly uid: number; readonly gid: number } | undefined {
  const [, , uid, gid] = accountLine('/etc/passwd', name) ?? []
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** The number of a group, from /etc/group: name, password, group id, and more. */
export function findGroup(name: string): number | undefined {
  const gid = accountLine('/etc/group', name)?.[2]
  return gid === undefined ? undefined : Number(gid)
}

function accountLine(file: string, name: string): readonly string[] | undefined {
  if (!existsSync(file)) return undefined
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.find((line) => line.startsWith(`${name}:`))?.split(':')
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
