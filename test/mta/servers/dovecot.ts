/**
 * A real Dovecot that does nothing but LMTP, in a private folder, on a loopback port: a back end that
 * delivers into Maildirs.
 *
 * It needs root to start, and the users that its package brings. It asks no DNS server.
 */
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { findUser, requireCommand } from './installed.ts'
import { type BackEnd, backEndOf } from './mail-server.ts'
import { inFolder, onFreePort } from './place.ts'
import { startDaemon } from './process.ts'

export interface DovecotOptions {
  /** Whether every connection must begin with a PROXY header. Else 127.0.0.1 may say XCLIENT. */
  readonly proxied?: boolean
  /** Who exists. Default: every recipient in the world. */
  readonly users?: readonly string[]
  /** The one password that is right, whoever says it. Default: every one. */
  readonly password?: string
  /** The lines that a test is about, in place of ours about where it listens and whom it trusts. */
  readonly lines?: (port: number) => string
}

/** Starts a Dovecot and waits until it listens. */
export function startDovecot(options: DovecotOptions = {}): Promise<BackEnd> {
  const owner = findUser('nobody')
  if (owner === undefined) throw new Error('no user nobody')
  return onFreePort((port) =>
    inFolder('dovecot', async (folder) => {
      await mkdir(join(folder, 'mail'))
      await chown(join(folder, 'mail'), owner.uid, owner.gid)
      const { proxied = false, lines = listening(proxied), users, password } = options
      if (users)
        await writeFile(join(folder, 'users'), users.map((user) => `${user}:::::::\n`).join(''))
      const config =
        configText(folder, owner, { hasUsers: users !== undefined, password }) + lines(port)
      await writeFile(join(folder, 'dovecot.conf'), config)
      const daemon = await startDaemon({
        command: requireCommand('dovecot'),
        args: ['-F', '-c', join(folder, 'dovecot.conf')],
        folder,
        ready: /starting up for lmtp/,
      })
      return backEndOf(daemon, port, join(folder, 'mail'))
    }),
  )
}

function configText(
  folder: string,
  { uid, gid }: { uid: number; gid: number },
  { hasUsers, password }: { readonly hasUsers: boolean; readonly password: string | undefined },
): string {
  const whose = `uid=${uid} gid=${gid} home=${folder}/mail/%n`
  return `base_dir = ${folder}/run
protocols = lmtp
log_path = /dev/stderr
hostname = ${hostname()}
mail_location = maildir:${folder}/mail/%n
auth_username_format = %Ln
first_valid_uid = 0
ssl = no
passdb {
  driver = static
  args = ${password === undefined ? 'nopassword=y' : `password=${password}`}
}
userdb {
  driver = ${hasUsers ? 'passwd-file' : 'static'}
  args = ${hasUsers ? `${folder}/users` : `${whose} allow_all_users=yes`}
  override_fields = ${whose}
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
`
}

function listening(proxied: boolean): (port: number) => string {
  return (port) => `login_trusted_networks = 127.0.0.0/8
haproxy_trusted_networks = 127.0.0.0/8
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
    haproxy = ${proxied ? 'yes' : 'no'}
  }
}
`
}
