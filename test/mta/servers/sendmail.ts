/**
 * A real Sendmail in a private folder, on a loopback port: a back end that delivers into Maildirs.
 *
 * Its package excludes every other mail server, so it is unpacked and not installed. It waits for a
 * minute on a machine whose host name has no dot, so it gets a host name and a hosts file of its own,
 * and needs root for that.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireCommand, UNPACKED_SENDMAIL, UNPACKED_SENDMAIL_CF } from './installed.ts'
import { type BackEnd, backEndOf } from './mail-server.ts'
import { inFolder, onFreePort } from './place.ts'
import { run, startDaemon } from './process.ts'

const macros = join(UNPACKED_SENDMAIL_CF, 'usr/share/sendmail/cf')
const hostName = 'mx.example.net'

/**
 * Starts a Sendmail that takes mail for user@example.net, and waits until it listens.
 *
 * @param lines The lines of sendmail.mc that a test is about; they say where it listens.
 */
export function startSendmail(lines: (port: number) => string): Promise<BackEnd> {
  return onFreePort((port) =>
    inFolder('sendmail', async (folder) => {
      await mkdir(join(folder, 'queue'), { mode: 0o700 })
      await mkdir(join(folder, 'mail'))
      await chmod(join(folder, 'mail'), 0o777)
      await writeFile(join(folder, 'hosts'), `127.0.0.1 localhost ${hostName}\n`)
      await writeFile(join(folder, 'deliver'), deliver(folder), { mode: 0o755 })
      await writeFile(join(folder, 'sendmail.mc'), macroText(folder, lines(port)))
      await makeConfig(folder)
      await writeFile(join(folder, 'start'), startScript(folder, port))
      const daemon = await startDaemon({
        command: requireCommand('unshare'),
        args: ['--mount', '--uts', 'sh', join(folder, 'start')],
        folder,
        ready: /^listening$/m,
      })
      return backEndOf(daemon, port, join(folder, 'mail'))
    }),
  )
}

async function makeConfig(folder: string): Promise<void> {
  const args = [`-D_CF_DIR_=${macros}/`, join(folder, 'sendmail.mc')]
  const { code, output } = await run(requireCommand('m4'), args, { timeoutMs: 10_000 })
  if (code !== 0) throw new Error(`m4 said ${code}: ${output}`)
  await writeFile(join(folder, 'sendmail.cf'), output)
}

/** The test's lines among those that put it into the folder. Checks that ask the DNS are off. */
function macroText(folder: string, lines: string): string {
  return `divert(-1)
include(\`${macros}/m4/cf.m4')
divert(0)
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`${hostName}')dnl
define(\`QUEUE_DIR', \`${folder}/queue')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`STATUS_FILE', \`${folder}/stats')dnl
define(\`confPID_FILE', \`${folder}/pid')dnl
define(\`confDONT_BLAME_SENDMAIL', \`MapInUnsafeDirPath,RunProgramInUnsafeDirPath')dnl
define(\`confTO_IDENT', \`0s')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`accept_unresolvable_domains')dnl
LOCAL_DOMAIN(\`example.net')dnl
${lines}
define(\`LOCAL_MAILER_PATH', \`${folder}/deliver')dnl
define(\`LOCAL_MAILER_ARGS', \`deliver $u')dnl
MODIFY_MAILER_FLAGS(\`LOCAL', \`-w5A')dnl
MAILER(\`local')dnl
MAILER(\`smtp')dnl
`
}

/** Called with "-f sender user" or "user"; the last word is who the mail is for. */
function deliver(folder: string): string {
  return `#!/bin/sh
for user; do :; done
cd "${folder}/mail" && mkdir -p "$user/new" "$user/tmp" && cat >"$user/tmp/$$" && mv "$user/tmp/$$" "$user/new/$$"
`
}

function startScript(folder: string, port: number): string {
  const listening = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`
  return `set -e
hostname ${hostName}
mount --bind ${folder}/hosts /etc/hosts
( until grep -q '${listening}' /proc/net/tcp; do sleep 0.1; done; echo listening ) &
exec ${UNPACKED_SENDMAIL}/usr/libexec/sendmail/sendmail -C ${folder}/sendmail.cf -bD
`
}
