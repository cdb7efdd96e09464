/**
 * The servers that are measured, all in front of one sink, each in a private folder on a free port.
 *
 * The servers have the first core, sink and client the second. What cannot be had on this machine is
 * left out, and the report says so. Everything is stopped by its own process id.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findCommand } from '../test/mta/servers/installed.ts'
import { inFolder, onFreePort } from '../test/mta/servers/place.ts'
import { startPostfix } from '../test/mta/servers/postfix.ts'
import { run, startDaemon } from '../test/mta/servers/process.ts'
import { descriptorsMax } from './lib/proc.ts'

/** What is measured: one process, or several that share a port. */
export interface Measured {
  readonly name: string
  readonly port: number
  readonly pids: readonly number[]
  /** Its control group, which counts CPU exactly; null where there is none, and ticks must do. */
  readonly cgroup: string | null
}

export interface Server extends Measured, AsyncDisposable {
  readonly pid: number
  /** What it has printed so far. */
  output(): Promise<string>
}

const root = join(import.meta.dirname, '..')
const cache = join(root, 'node_modules/.cache/treacle-bench')
const harakaHome = join(cache, 'haraka')
const groups = '/sys/fs/cgroup/cpuacct'
const taskset = findCommand('taskset')

/** A script of ours in this folder. */
export function startTool(name: string, args: (port: number) => string[]): Promise<Server> {
  const script = join(import.meta.dirname, `${name}.ts`)
  return start(name, (port) => [process.execPath, script, ...args(port)], /ready/, {
    cores: name === 'pipe' ? '0' : '1',
  })
}

/** Puts a server into the group of its name, which lib/quiet.ts knows not to be somebody else's. */
function joinGroup(name: string, pids: readonly number[]): string | null {
  // Where groups are of version 2, one of this name could be made and would count nothing.
  if (!existsSync(join(groups, 'cpuacct.usage'))) return null
  const group = `bench_${process.pid}_${name}`
  try {
    mkdirSync(join(groups, group), { recursive: true })
    for (const pid of pids) writeFileSync(join(groups, group, 'cgroup.procs'), String(pid))
    return group
  } catch {
    return null
  }
}

interface Extra {
  /** Which cores it has, as taskset takes them: "0", "0,1". */
  readonly cores?: string
  /** One that somebody else listens on as well; a free one unless given. */
  readonly port?: number | undefined
  readonly files?: (port: number) => Readonly<Record<string, string>>
}

function start(
  name: string,
  command: (port: number, folder: string) => string[],
  ready: RegExp,
  { cores = '0', port: given, files = () => ({}) }: Extra = {},
): Promise<Server> {
  const startOn = (port: number) =>
    inFolder(`bench-${name}`, async (folder) => {
      for (const [file, text] of Object.entries(files(port))) {
        await mkdir(join(folder, file, '..'), { recursive: true })
        await writeFile(join(folder, file), text)
      }
      const pinned = taskset === undefined ? [] : [taskset, '-c', cores]
      const daemon = await startDaemon({
        command: '/bin/sh',
        args: ['-c', 'exec "$@" >log 2>&1', 'sh', ...pinned, ...command(port, folder)],
        folder,
        logFile: join(folder, 'log'),
        ready,
      })
      return {
        name,
        port,
        pid: daemon.pid,
        pids: [daemon.pid],
        output: () => daemon.log(),
        cgroup: joinGroup(name, daemon.pids()),
        [Symbol.asyncDispose]: () => daemon.stop(),
      }
    })
  return given === undefined ? onFreePort(startOn) : startOn(given)
}

export interface TreacleSetup {
  readonly sink: number
  readonly dns: number
  /** Whether everybody but 127.0.0.1 waits for the greeting until the end. */
  readonly pauses: boolean
  /** As it is shipped, which `npm run build` must have made, instead of from its sources. */
  readonly built?: boolean
  /** Whether clients are under TLS from their first byte. */
  readonly tls?: boolean
  /** More settings, as TOML: dotted keys. */
  readonly config?: string
  /** More for Node's command line. */
  readonly nodeOptions?: readonly string[]
  readonly cores?: string
  readonly port?: number
}

/** Treacle with all that is on by default, and limits that do not stop the benchmark itself. */
export function startTreacle({
  sink,
  dns,
  pauses,
  built = false,
  tls = false,
  config = '',
  nodeOptions = [],
  cores = '0',
  port: given,
}: TreacleSetup): Promise<Server> {
  const command = () => [
    // As in the image and the service unit.
    'env',
    `NODE_COMPILE_CACHE=${join(cache, 'compiled')}`,
    process.execPath,
    '--max-semi-space-size=4',
    ...nodeOptions,
    ...(pauses
      ? [join(root, 'bench/held.ts'), 'treacle.toml']
      : [join(root, built ? 'dist/main.js' : 'src/main.ts'), 'run', '--config', 'treacle.toml']),
  ]
  const files = (port: number) => ({
    good: pauses ? '127.0.0.1\n' : '',
    'treacle.toml': `
listen.${tls ? 'tls_addresses' : 'addresses'} = ["127.0.0.1:${port}"]
${tls ? 'listen.addresses = ["127.0.0.1:0"]\ntls.self_signed = true' : ''}
gate.known_good = "good"
limits = { memory_max = "0B", connections_max = 30000, per_address_max = 30000, per_network_max = 30000, per_site_max = 30000, rate_per_address_max = 1000000, rate_per_network_max = 1000000 }
greeting = { pause = "0s", pause_suspect = "0s" }
delay.key_file = "delay.key"
delay.slots = 30000
dns.servers = ["127.0.0.1:${dns}"]
backend = { addresses = ["127.0.0.1:${sink}"], recipient_domains = ["example.org"] }
log.mainlog = "mainlog"
${config}
`,
  })
  return start('Treacle', command, /"server.listening"/, { cores, port: given, files })
}

export async function startHaproxy(sink: number): Promise<Server | null> {
  const haproxy = findCommand('haproxy')
  if (haproxy === undefined) return null
  // It does not start when it may not have two descriptors for each connection, and some more.
  const connectionsMax = Math.min(20_000, Math.floor(descriptorsMax() / 2) - 200)
  const files = (port: number) => ({
    'haproxy.cfg': `global
  maxconn ${connectionsMax}
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen mail
  bind 127.0.0.1:${port}
  server sink 127.0.0.1:${sink}
`,
  })
  return await start(
    'HAProxy',
    () => [haproxy, '-W', '-f', 'haproxy.cfg'],
    /Loading success|New worker/,
    {
      files,
    },
  )
}

export async function startPostfixProxy(sink: number): Promise<Server | null> {
  try {
    const postfix = await startPostfix({
      domains: ['example.org'],
      users: ['rcpt0'],
      config: {
        smtpd_proxy_filter: `127.0.0.1:${sink}`,
        smtpd_client_connection_count_limit: '0',
        message_size_limit: '104857600',
        default_process_limit: '250',
      },
    })
    if (taskset !== undefined) {
      await run(taskset, ['-a', '-c', '-p', '0', String(postfix.pid)], { timeoutMs: 5_000 })
    }
    return {
      name: 'Postfix',
      output: async () => '',
      cgroup: joinGroup('Postfix', postfix.pids()),
      port: postfix.port,
      pid: postfix.pid,
      pids: [postfix.pid],
      [Symbol.asyncDispose]: () => postfix.stop(),
    }
  } catch {
    return null
  }
}

const haraka = join(harakaHome, 'node_modules/.bin/haraka')

/** Gets Haraka from npm, into a folder that git does not see, where it is not there. */
export async function installHaraka(): Promise<void> {
  if (existsSync(haraka)) return
  await mkdir(harakaHome, { recursive: true })
  const args = ['install', '--prefix', harakaHome, '--no-audit', '--no-fund', 'Haraka@3.3.4']
  await run('npm', args, { timeoutMs: 120_000 })
}

/** @returns null where it is not installed. */
export async function startHaraka(sink: number): Promise<Server | null> {
  try {
    const files = (port: number) => ({
      'config/smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\n`,
      'config/plugins': 'rcpt_to.in_host_list\nqueue/smtp_proxy\n',
      'config/host_list': 'example.org\n',
      'config/connection.ini':
        '[message]\ngreeting=mx.example.org ESMTP\n[max]\nbytes=104857600\nline_length=512\ndata_line_length=992\nmime_parts=1000\n[headers]\nmax_lines=1000\nmax_received=100\n[haproxy]\n[uuid]\n',
      'config/smtp_proxy.ini': `host=127.0.0.1\nport=${sink}\nmax_connections=1000\n`,
      'config/log.ini': 'level=NOTICE\n',
      'config/me': 'mx.example.org\n',
    })
    return await start(
      'Haraka',
      (_port, folder) => [process.execPath, haraka, '-c', folder],
      /Listening on/i,
      {
        files,
      },
    )
  } catch {
    return null
  }
}
