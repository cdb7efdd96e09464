/**
 * A real Exim in a private folder, on a loopback port: a back end that delivers into Maildirs, or a
 * client that queues and sends to a `relayhost`.
 *
 * It needs root to start and works as its own user from then on. The installed Exim is used: one
 * that is only unpacked does not find itself again when it delivers. Its daemon looks into the queue
 * every second, so whatever delivers is a child of the daemon and ends with it.
 */
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eximUser } from './exim-build.ts'
import { requireCommand } from './installed.ts'
import { Maildirs, type MailServer, recipients, withLf } from './mail-server.ts'
import { inFolder, onFreePort } from './place.ts'
import { run, startDaemon } from './process.ts'
import { withoutDns } from './without-dns.ts'

/** Points in the dialogue where Exim can be given rules of its own. */
export type AclStage = 'connect' | 'helo' | 'mail' | 'rcpt' | 'predata' | 'data'

export interface EximOptions {
  /** Domains it takes mail for. Default: example.net, or none if there is a `relayhost`. */
  readonly domains?: readonly string[]
  /** Local parts that exist in each of them. Default: user. Others: 550 5.1.1 User unknown. */
  readonly users?: readonly string[]
  /** Who must send a PROXY header first. Default: nobody. */
  readonly hostsProxy?: readonly string[]
  /** Lines put in front of the ACL of a stage, like `warn logwrite = $sender_helo_name`. */
  readonly extra?: Readonly<Partial<Record<AclStage, readonly string[]>>>
  /** Where mail for other domains goes, like `[127.0.0.1]:2525`. */
  readonly relayhost?: string
  /** Main options, by name; these win. */
  readonly config?: Readonly<Record<string, string>>
}

export type Exim = MailServer

/** Starts an Exim and waits until it listens. */
export async function startExim(options: EximOptions = {}): Promise<Exim> {
  const exim = requireCommand('exim4', 'exim')
  const user = await eximUser(exim)
  return onFreePort((port) =>
    inFolder('exim', async (folder) => {
      for (const name of ['spool', 'log', 'mail']) {
        await mkdir(join(folder, name))
        await chown(join(folder, name), user.uid, user.gid)
      }
      await writeFile(join(folder, 'exim.conf'), configText(folder, port, options))
      return launch(exim, folder, port)
    }),
  )
}

async function launch(exim: string, folder: string, port: number): Promise<Exim> {
  const file = join(folder, 'exim.conf')
  const daemon = await startDaemon({
    // It looks up every client that a PROXY header tells it, whatever its configuration says.
    ...(await withoutDns(folder, [exim, '-C', file, '-bdf', '-q1s'])),
    folder,
    logFile: join(folder, 'log/mainlog'),
    ready: /daemon started/,
  })
  const maildirs = new Maildirs(join(folder, 'mail'), () => daemon.log())
  const command = async (args: readonly string[], input?: Buffer) => {
    const { code, output } = await run(exim, ['-C', file, ...args], {
      timeoutMs: 60_000,
      ...(input && { input }),
    })
    if (code !== 0) throw new Error(`exim ${args.join(' ')} said ${code}: ${output}`)
  }
  return {
    port,
    pid: daemon.pid,
    pids: () => daemon.pids(),
    log: () => daemon.log(),
    messages: (name) => maildirs.messages(name),
    waitForMessages: (name, count, limit) => maildirs.waitFor(name, count, limit),
    send: (message) => {
      const args = ['-odq', '-i', '-f', message.from, '--', ...recipients(message)]
      return command(args, withLf(message.data))
    },
    flush: () => command(['-qff']),
    stop: () => daemon.stop(),
    [Symbol.asyncDispose]: () => daemon.stop(),
  }
}

function configText(folder: string, port: number, options: EximOptions): string {
  const { users = ['user'], extra = {}, relayhost } = options
  const domains = options.domains ?? (relayhost === undefined ? ['example.net'] : [])
  const main = { ...mainOptions(folder, port), ...proxy(options), ...options.config }
  return `${Object.entries(main)
    .map(([name, value]) => `${name} = ${value}`)
    .join('\n')}
domainlist ours = ${list(domains)}
localpartlist users = ${list(users)}

begin acl
${aclText('connect', extra, '')}
${aclText('helo', extra, '')}
${aclText('mail', extra, '')}
${aclText('rcpt', extra, RECIPIENTS)}
${aclText('predata', extra, '')}
${aclText('data', extra, '')}

begin routers
here:
  driver = accept
  domains = +ours
  local_parts = +users
  transport = maildir
${relayhost === undefined ? '' : routerText(relayhost)}
begin transports
maildir:
  driver = appendfile
  directory = ${folder}/mail/$local_part_data
  maildir_format
  return_path_add
  envelope_to_add
${relayhost === undefined ? '' : transportText(relayhost)}
begin retry
* * F,1d,15m
`
}

function mainOptions(folder: string, port: number): Record<string, string> {
  const stages: readonly AclStage[] = ['connect', 'helo', 'mail', 'rcpt', 'predata', 'data']
  return {
    primary_hostname: 'mx.example.net',
    spool_directory: `${folder}/spool`,
    log_file_path: `${folder}/log/%slog`,
    pid_file_path: `${folder}/spool/exim.pid`,
    local_interfaces: '127.0.0.1',
    daemon_smtp_ports: `${port}`,
    daemon_startup_retries: '0',
    keep_environment: '',
    tls_advertise_hosts: '',
    rfc1413_query_timeout: '0s',
    host_lookup_order: 'bydns',
    dns_retrans: '1s',
    dns_retry: '1',
    smtp_accept_max: '200',
    deliver_drop_privilege: 'true',
    ...Object.fromEntries(stages.map((stage) => [`acl_smtp_${stage}`, `check_${stage}`])),
  }
}

function proxy({ hostsProxy = [] }: EximOptions): Record<string, string> {
  return hostsProxy.length === 0 ? {} : { hosts_proxy: list(hostsProxy) }
}

const RECIPIENTS = `  deny    domains = ! +ours
          message = 550 5.7.1 Relay access denied
  deny    local_parts = ! +users
          message = 550 5.1.1 User unknown
`

function aclText(stage: AclStage, extra: NonNullable<EximOptions['extra']>, rules: string): string {
  const lines = (extra[stage] ?? []).map((line) => `  ${line}\n`)
  return `check_${stage}:\n${lines.join('')}${rules}  accept\n`
}

/** An Exim list, with a separator that IPv6 addresses do not use. */
function list(items: readonly string[]): string {
  return `<; ${items.join(' ; ')}`
}

function routerText(relayhost: string): string {
  return `relay:
  driver = manualroute
  domains = ! +ours
  route_list = * ${hostAndPort(relayhost).host} byname
  self = send
  transport = relay
`
}

function transportText(relayhost: string): string {
  return `relay:
  driver = smtp
  port = ${hostAndPort(relayhost).port}
  allow_localhost
`
}

function hostAndPort(relayhost: string): { host: string; port: string } {
  const [, host, port] = /^\[([\d.]+)\]:(\d+)$/.exec(relayhost) ?? []
  if (host === undefined || port === undefined) throw new Error(`not [address]:port: ${relayhost}`)
  return { host, port }
}
