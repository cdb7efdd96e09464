/**
 * Makes the programs available that the tests run as "the other side": `node test/mta/packages.ts`.
 *
 * On Debian and Ubuntu, as root, it installs Exim, Dovecot, HAProxy, NSD, swaks and the shells that
 * completion is for, and unpacks Postfix, Sendmail and OpenSMTPD beside them: the mail servers'
 * packages exclude each other. Haraka comes from npm. No service is started and no package is ever
 * removed. Elsewhere it says what is missing and changes nothing. When nothing is missing, it says
 * nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasProxySupport } from './servers/exim-build.ts'
import {
  findCommand,
  findGroup,
  findPostfix,
  findUser,
  hasDovecot,
  hasHaraka,
  hasOpensmtpd,
  hasSendmail,
  hasSendmailMacros,
  UNPACKED_HARAKA,
  UNPACKED_OPENSMTPD,
  UNPACKED_POSTFIX,
  UNPACKED_SENDMAIL,
  UNPACKED_SENDMAIL_CF,
} from './servers/installed.ts'
import { run } from './servers/process.ts'

const haraka = 'Haraka@3.3.4'

/** Something the tests need, and how to come by it. */
interface Need {
  readonly what: string
  readonly elsewhere: string
  readonly isThere: () => boolean | Promise<boolean>
  /** The Debian package to install, or what else to do on Debian. */
  readonly from: string | (() => Promise<void>)
}

const needs: readonly Need[] = [
  {
    what: 'exim with PROXY support',
    elsewhere: 'install exim4-daemon-heavy (Debian), exim (Fedora, Alpine), or what it is called',
    isThere: hasEximWithProxy,
    from: 'exim4-daemon-heavy',
  },
  {
    what: 'nsd',
    elsewhere: 'install nsd',
    isThere: () => findCommand('nsd') !== undefined,
    from: 'nsd',
  },
  {
    what: 'haproxy',
    elsewhere: 'install haproxy',
    isThere: () => findCommand('haproxy') !== undefined,
    from: 'haproxy',
  },
  {
    what: 'swaks',
    elsewhere: 'install swaks',
    isThere: () => findCommand('swaks') !== undefined,
    from: 'swaks',
  },
  {
    what: 'sendmail',
    elsewhere: `unpack the package of Sendmail 8.15 or later into ${UNPACKED_SENDMAIL}`,
    isThere: hasSendmail,
    from: () => unpack('sendmail-bin', UNPACKED_SENDMAIL, hasSendmail),
  },
  {
    what: "sendmail's macros",
    elsewhere: `unpack them into ${UNPACKED_SENDMAIL_CF}`,
    isThere: hasSendmailMacros,
    from: () => unpack('sendmail-cf', UNPACKED_SENDMAIL_CF, hasSendmailMacros),
  },
  {
    what: 'm4',
    elsewhere: 'install m4',
    isThere: () => findCommand('m4') !== undefined,
    from: 'm4',
  },
  {
    what: 'zsh',
    elsewhere: 'install zsh',
    isThere: () => findCommand('zsh') !== undefined,
    from: 'zsh',
  },
  {
    what: 'fish',
    elsewhere: 'install fish',
    isThere: () => findCommand('fish') !== undefined,
    from: 'fish',
  },
  {
    what: 'groff',
    elsewhere: 'install groff',
    isThere: () => findCommand('groff') !== undefined,
    from: 'groff-base',
  },
  {
    what: 'systemd-analyze',
    elsewhere: 'install systemd; it need not be running',
    isThere: () => findCommand('systemd-analyze') !== undefined,
    from: 'systemd',
  },
  {
    what: 'postfix',
    elsewhere: `install postfix, or unpack its package into ${UNPACKED_POSTFIX}`,
    isThere: () => findPostfix() !== undefined,
    from: () => unpack('postfix', UNPACKED_POSTFIX, () => findPostfix() !== undefined),
  },
  {
    what: 'dovecot with LMTP',
    elsewhere: 'install dovecot-lmtpd (Debian), dovecot (Fedora), or what it is called',
    isThere: hasDovecot,
    from: 'dovecot-lmtpd',
  },
  {
    what: 'opensmtpd',
    elsewhere: `unpack the package of OpenSMTPD 6.8 or later into ${UNPACKED_OPENSMTPD}`,
    isThere: hasOpensmtpd,
    from: () => unpack('opensmtpd', UNPACKED_OPENSMTPD, hasOpensmtpd),
  },
  {
    what: 'haraka',
    elsewhere: `npm install --prefix ${UNPACKED_HARAKA} ${haraka}`,
    isThere: hasHaraka,
    from: () => installHaraka(),
  },
  {
    what: 'the group postdrop',
    elsewhere: 'groupadd --system postdrop',
    isThere: () => findGroup('postdrop') !== undefined,
    from: () => must('groupadd', ['--system', 'postdrop']),
  },
  {
    what: 'the user postfix',
    elsewhere: 'useradd --system --no-create-home --shell /usr/sbin/nologin --user-group postfix',
    isThere: () => findUser('postfix') !== undefined,
    from: addPostfixUser,
  },
]

process.exitCode = await main()

async function main(): Promise<number> {
  const missing = await findMissing()
  if (missing.length > 0 && isRoot() && isDebian()) {
    process.stdout.write(`getting for the tests: ${missing.map(({ what }) => what).join(', ')}\n`)
    await withoutServices(async () => {
      const names = missing.flatMap(({ from }) => (typeof from === 'string' ? from : []))
      if (names.length > 0) await attempt(() => install(names))
      for (const { from } of missing) if (typeof from !== 'string') await attempt(from)
    })
  }
  const complaints = (await findMissing()).map(({ what, elsewhere }) => `${what}: ${elsewhere}`)
  if (!isRoot()) {
    complaints.push('root: mail servers start as root; run the tests as root, say in a container')
  }
  for (const complaint of complaints) process.stderr.write(`missing for the tests: ${complaint}\n`)
  return complaints.length === 0 ? 0 : 1
}

/** What fails is said and then left: the final look finds what is still missing. */
async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  }
}

async function findMissing(): Promise<Need[]> {
  const missing: Need[] = []
  for (const need of needs) {
    if (!(await need.isThere())) missing.push(need)
  }
  return missing
}

async function hasEximWithProxy(): Promise<boolean> {
  const exim = findCommand('exim4', 'exim')
  return exim !== undefined && (await hasProxySupport(exim))
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** os-release(5): ID, and ID_LIKE for relatives. */
function isDebian(): boolean {
  const file = '/etc/os-release'
  if (!existsSync(file) || findCommand('apt-get') === undefined) return false
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync(file, 'utf8'))
}

/** Installs packages unless that would remove others, like a mail server somebody uses. */
async function install(names: readonly string[]): Promise<void> {
  await withLists(() =>
    apt(['install', '--yes', '--quiet', '--no-install-recommends', '--no-remove', ...names]),
  )
}

/** Unpacks a package that cannot be installed beside the others. */
async function unpack(name: string, target: string, isThere: () => boolean): Promise<void> {
  const cache = dirname(target)
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'unpacking-'))
  try {
    await withLists(() => apt(['download', name], folder))
    const file = (await readdir(folder)).find((each) => each.endsWith('.deb')) ?? `${name}.deb`
    await install(await librariesOf(join(folder, file)))
    await must('dpkg', ['-x', join(folder, file), join(folder, name)])
    // Whoever is first wins: the other one's copy is as good.
    await rename(join(folder, name), target).catch((error) => {
      if (!isThere()) throw error
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Haraka and what it depends on, without running any of their scripts. */
async function installHaraka(): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  await mkdir(UNPACKED_HARAKA, { recursive: true })
  await must('npm', ['install', '--prefix', UNPACKED_HARAKA, ...quiet, haraka])
}

/** The shared libraries a package depends on; their names differ from release to release. */
async function librariesOf(file: string): Promise<string[]> {
  const { output } = await run('dpkg-deb', ['-f', file, 'Depends'], { timeoutMs: 10_000 })
  const names = output.split(',').map((item) => item.trim().split(/[ |(:]/)[0] ?? '')
  return names.filter((name) => name.startsWith('lib'))
}

async function addPostfixUser(): Promise<void> {
  const group = findGroup('postfix') === undefined ? '--user-group' : '--gid=postfix'
  const home = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin']
  await must('useradd', ['--system', group, ...home, 'postfix'])
}

/** Does what needs package lists; gets them first if there are none, and again if it fails. */
async function withLists(action: () => Promise<void>): Promise<void> {
  const lists = '/var/lib/apt/lists'
  const hasLists = existsSync(lists) && readdirSync(lists).some((name) => /_Packages/.test(name))
  if (hasLists) {
    const isDone = await action().then(
      () => true,
      () => false,
    )
    if (isDone) return
  }
  await apt(['update', '--quiet'])
  await action()
}

/**
 * Keeps packages from starting their services while they are being installed: invoke-rc.d(8) asks
 * this file. One that is there already is somebody's decision and stays.
 */
async function withoutServices(action: () => Promise<void>): Promise<void> {
  const file = '/usr/sbin/policy-rc.d'
  if (existsSync(file)) return action()
  await writeFile(file, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await action()
  } finally {
    await rm(file, { force: true })
  }
}

async function apt(args: readonly string[], folder?: string): Promise<void> {
  // Two checkouts may do this at once. Downloads go into our own folder, so as ourselves.
  const options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'APT::Sandbox::User=root']
  await must('apt-get', [...options, ...args], folder)
}

async function must(command: string, args: readonly string[], folder = '/'): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }
  const path = findCommand(command) ?? command
  const { code, output } = await run(path, args, { timeoutMs: 600_000, env, cwd: folder })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} said ${code}:\n${output}`)
}
