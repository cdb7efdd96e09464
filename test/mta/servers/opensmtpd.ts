/**
 * A real OpenSMTPD in a private folder, on a loopback port: a back end that delivers into Maildirs.
 *
 * Its package excludes every other mail server, so it is unpacked and not installed. Paths and users
 * are built into it, so it gets a mount namespace in which they exist, and needs root for that.
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireCommand, UNPACKED_OPENSMTPD } from './installed.ts'
import { type BackEnd, backEndOf } from './mail-server.ts'
import { inFolder, onFreePort } from './place.ts'
import { startDaemon } from './process.ts'

/** Those it becomes, and the one that mail is for; nobody has these numbers outside. */
const accounts = [
  ['opensmtpd', 64_001],
  ['opensmtpq', 64_002],
  ['user', 64_003],
] as const

/** Where its configuration must have it listen, and deliver to. */
export interface OpensmtpdPlace {
  readonly port: number
  readonly maildir: string
}

/**
 * Starts an OpenSMTPD and waits until it listens.
 *
 * @param config Its smtpd.conf. Default: takes mail for example.net and demands PROXY headers of version 2.
 */
export function startOpensmtpd(
  config: (place: OpensmtpdPlace) => string = proxied,
): Promise<BackEnd> {
  return onFreePort((port) =>
    inFolder('opensmtpd', async (folder) => {
      await mkdir(join(folder, 'mail'))
      await chmod(join(folder, 'mail'), 0o777)
      const maildir = `${folder}/mail/%{rcpt.user}`
      await writeFile(join(folder, 'smtpd.conf'), config({ port, maildir }), { mode: 0o600 })
      await writeAccounts(folder)
      const script = join(folder, 'start')
      await writeFile(script, startScript(folder))
      const daemon = await startDaemon({
        command: requireCommand('unshare'),
        args: ['-m', 'sh', script],
        folder,
        ready: /smtp: will accept at most/,
      })
      return backEndOf(daemon, port, join(folder, 'mail'))
    }),
  )
}

function proxied({ port, maildir }: OpensmtpdPlace): string {
  return `listen on 127.0.0.1 port ${port} proxy-v2
action "store" maildir "${maildir}"
match from any for domain "example.net" action "store"
`
}

async function writeAccounts(folder: string): Promise<void> {
  const passwd = accounts.map(([name, id]) => `${name}:x:${id}:${id}::/nonexistent:/bin/false`)
  const group = accounts.map(([name, id]) => `${name}:x:${id}:`)
  for (const [name, lines] of [
    ['passwd', passwd],
    ['group', group],
  ] as const) {
    const own = await readFile(join('/etc', name), 'utf8')
    await writeFile(join(folder, name), `${own}${lines.join('\n')}\n`)
  }
}

/** Run in a mount namespace of its own, so nobody else sees any of it. */
function startScript(folder: string): string {
  return `set -e
mount --bind ${folder}/passwd /etc/passwd
mount --bind ${folder}/group /etc/group
mount -t tmpfs -o mode=755 none /var/spool
mkdir -m 711 /var/spool/smtpd
mount -t tmpfs -o mode=755 none /var/lib
mkdir -p /var/lib/opensmtpd/empty
mount -t tmpfs -o mode=755 none /run
mkdir -p /usr/libexec
mount -t tmpfs -o mode=755 none /usr/libexec
cp -a ${UNPACKED_OPENSMTPD}/usr/libexec/opensmtpd /usr/libexec/
exec ${UNPACKED_OPENSMTPD}/usr/sbin/smtpd -dv -f ${folder}/smtpd.conf
`
}
