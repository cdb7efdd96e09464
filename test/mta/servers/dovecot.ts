/**
 * A real Dovecot that does nothing but LMTP, in a private folder, on a loopback port: a back end that
 * delivers into Maildirs.
 *
 * It needs root to start, and the users that its package brings. It asks no DNS server and has no
 * users of its own: every recipient in the world exists.
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
}

/** Starts a Dovecot and waits until it listens. */
export function startDovecot({ proxied = false }: DovecotOptions = {}): Promise<BackEnd> {
  const owner = findUser('nobody')
  if (owner === undefined) throw new Error('no user nobody')
  return onFreePort((port) =>
    inFolder('dovecot', async (folder) => {
      await mkdir(join(folder, 'mail'))
      await chown(join(folder, 'mail'), owner.uid, owner.gid)
      await writeFile(join(folder, 'dovecot.conf'), configText(folder, port, proxied, owner))
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
  port: number,
  proxied: boolean,
  { uid, gid }: { uid: number; gid: number },
): string {
  return `base_dir = ${folder}/run
protocols = lmtp
log_path = /dev/stderr
hostname = ${hostname()}
login_trusted_networks = 127.0.0.0/8
haproxy_trusted_networks = 127.0.0.0/8
mail_location = maildir:${folder}/mail/%n
first_valid_uid = 0
ssl = no
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/mail/%n allow_all_users=yes
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
    haproxy = ${proxied ? 'yes' : 'no'}
  }
}
`
}
