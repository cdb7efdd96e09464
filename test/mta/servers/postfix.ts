/**
 * A real Postfix in a private folder, on a loopback port: a back end that delivers into Maildirs, or
 * a client that queues and sends to a `relayhost`.
 *
 * It needs root (so does every Postfix), the user `postfix` and the group `postdrop`, and no
 * /etc/postfix. It asks no DNS server. `master` is run by us and not by `postfix start`, which
 * spends seconds on checking an installation we have not made.
 */
import { chmod, chown, mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findGroup, findPostfix, findUser, type PostfixHome } from './installed.ts'
import { Maildirs, type MailServer, recipients, withLf } from './mail-server.ts'
import { inFolder, onFreePort } from './place.ts'
import { run, startDaemon } from './process.ts'

export interface PostfixOptions {
  /** Domains it takes mail for. Default: example.net, or none if there is a `relayhost`. */
  readonly domains?: readonly string[]
  /** Local parts that exist in each of them. Default: user. Others: 550 5.1.1 User unknown. */
  readonly users?: readonly string[]
  /** Whether 127.0.0.1 may say XCLIENT. Default: no. */
  readonly xclient?: boolean
  /** Where mail for other domains goes, like `[127.0.0.1]:2525`. */
  readonly relayhost?: string
  /** Lines of main.cf, by name; these win. */
  readonly config?: Readonly<Record<string, string>>
  /** More lines of master.cf. */
  readonly master?: readonly string[]
}

export interface Postfix extends MailServer {
  /** Whether it has nothing left to deliver. */
  queueIsEmpty(): Promise<boolean>
}

/** Starts a Postfix and waits until it listens. */
export function startPostfix(options: PostfixOptions = {}): Promise<Postfix> {
  const home = findPostfix()
  if (home === undefined) throw new Error('no Postfix here: run "node test/mta/packages.ts"')
  return onFreePort((port) =>
    inFolder('postfix', async (folder) => {
      await makeFolders(folder)
      await writeConfig(home, folder, port, options)
      return launch(home, folder, port)
    }),
  )
}

async function launch(home: PostfixHome, folder: string, port: number): Promise<Postfix> {
  const ask = (name: string, args: readonly string[], input?: Buffer) => {
    const env = { ...process.env, ...home.env, MAIL_CONFIG: join(folder, 'etc') }
    return run(join(home.commands, name), args, {
      env,
      timeoutMs: 10_000,
      ...(input && { input }),
    })
  }
  const daemon = await startDaemon({
    command: join(home.daemons, 'master'),
    args: ['-c', join(folder, 'etc'), '-s'],
    env: { ...process.env, ...home.env },
    folder,
    logFile: join(folder, 'log'),
    ready: /daemon started/,
    // Until it has started it talks to syslog only; commands complain about main.cf to us.
    complaint: async () => (await ask('postqueue', ['-p'])).output,
  })
  const maildirs = new Maildirs(join(folder, 'mail'), () => daemon.log())
  const command = async (name: string, args: readonly string[], input?: Buffer) => {
    const { code, output } = await ask(name, args, input)
    if (code !== 0) throw new Error(`${name} said ${code}: ${output}`)
  }
  return {
    port,
    pid: daemon.pid,
    pids: () => daemon.pids(),
    log: () => daemon.log(),
    messages: (user) => maildirs.messages(user),
    waitForMessages: (user, count, limit) => maildirs.waitFor(user, count, limit),
    send: (message) => {
      const args = ['-i', '-f', message.from, '--', ...recipients(message)]
      return command('sendmail', args, withLf(message.data))
    },
    flush: () => command('postqueue', ['-f']),
    queueIsEmpty: async () => (await ask('postqueue', ['-p'])).output.includes('queue is empty'),
    stop: () => daemon.stop(),
    [Symbol.asyncDispose]: () => daemon.stop(),
  }
}

/** The folders `postfix check` would make, with the owners it would give them. */
async function makeFolders(folder: string): Promise<void> {
  const owner = account('postfix')
  const postdrop = findGroup('postdrop')
  if (postdrop === undefined) throw new Error('no group postdrop: run "node test/mta/packages.ts"')
  const make = async (path: string, mode: number, uid: number, gid = 0) => {
    await mkdir(join(folder, path))
    await chown(join(folder, path), uid, gid)
    await chmod(join(folder, path), mode)
  }
  await make('etc', 0o755, 0)
  await make('queue', 0o755, 0)
  await make('queue/pid', 0o755, 0)
  await make('queue/maildrop', 0o730, owner.uid, postdrop)
  await make('queue/public', 0o710, owner.uid, postdrop)
  for (const name of PRIVATE_QUEUES) await make(`queue/${name}`, 0o700, owner.uid)
  await make('data', 0o700, owner.uid, owner.gid)
  const { uid, gid } = account('nobody')
  await make('mail', 0o700, uid, gid)
}

const PRIVATE_QUEUES = [
  ...['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush'],
  ...['hold', 'incoming', 'private', 'saved', 'trace'],
]

async function writeConfig(
  home: PostfixHome,
  folder: string,
  port: number,
  options: PostfixOptions,
): Promise<void> {
  const { domains = options.relayhost === undefined ? ['example.net'] : [], users = ['user'] } =
    options
  const addresses = domains.flatMap((domain) => users.map((user) => `${user}@${domain} ${user}/`))
  const config = { ...home.config, ...mainCf(folder, domains), ...choices(options) }
  const lines = Object.entries(config).map(([name, value]) => `${name} = ${value}`)
  const master = [`127.0.0.1:${port} inet n - n - - smtpd`, ...SERVICES, ...(options.master ?? [])]
  for (const [name, text] of [
    ['users', addresses],
    ['main.cf', lines],
    ['master.cf', master],
  ] as const) {
    const path = join(folder, 'etc', name)
    await writeFile(path, `${text.join('\n')}\n`)
    // Postfix waits up to two seconds for a file that changed just now: its writer may not be done.
    await utimes(path, LONG_AGO, LONG_AGO)
  }
}

/** What the caller has decided. */
function choices({ xclient = false, relayhost, config }: PostfixOptions): Record<string, string> {
  return {
    ...(xclient && { smtpd_authorized_xclient_hosts: '127.0.0.1' }),
    ...(relayhost !== undefined && { relayhost }),
    ...config,
  }
}

function mainCf(folder: string, domains: readonly string[]): Record<string, string> {
  const { uid, gid } = account('nobody')
  return {
    compatibility_level: '3.6',
    queue_directory: `${folder}/queue`,
    data_directory: `${folder}/data`,
    maillog_file: `${folder}/log`,
    maillog_file_prefixes: folder,
    myhostname: 'mx.example.net',
    mydestination: '',
    mynetworks: '',
    alias_maps: '',
    alias_database: '',
    biff: 'no',
    smtpd_relay_restrictions: 'reject_unauth_destination',
    smtpd_peername_lookup: 'no',
    smtp_dns_support_level: 'disabled',
    virtual_mailbox_domains: domains.join(' '),
    virtual_mailbox_maps: `texthash:${folder}/etc/users`,
    virtual_mailbox_base: `${folder}/mail`,
    virtual_uid_maps: `static:${uid}`,
    virtual_gid_maps: `static:${gid}`,
  }
}

const LONG_AGO = new Date(0)

/** Debian's master.cf without chroot, and without what nobody uses here. */
const SERVICES = [
  'pickup unix n - n 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'trace unix - - n - 0 bounce',
  'verify unix - - n - 1 verify',
  'flush unix n - n 1000? 0 flush',
  'proxymap unix - - n - - proxymap',
  'proxywrite unix - - n - 1 proxymap',
  'smtp unix - - n - - smtp',
  'relay unix - - n - - smtp',
  'showq unix n - n - - showq',
  'error unix - - n - - error',
  'retry unix - - n - - error',
  'discard unix - - n - - discard',
  'local unix - n n - - local',
  'virtual unix - n n - - virtual',
  'lmtp unix - - n - - lmtp',
  'anvil unix - - n - 1 anvil',
  'scache unix - - n - 1 scache',
  'tlsproxy unix - - n - 0 tlsproxy',
  'dnsblog unix - - n - 0 dnsblog',
  'postlog unix-dgram n - n - 1 postlogd',
]

function account(name: string): { uid: number; gid: number } {
  const user = findUser(name)
  if (user === undefined) throw new Error(`no user ${name}: run "node test/mta/packages.ts"`)
  return user
}
