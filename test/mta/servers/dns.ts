/**
 * A real authoritative DNS server (NSD) on a loopback port, for ordinary zones, reverse zones and
 * DNS lists. It knows its zones and nothing else: names outside are REFUSED.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireCommand } from './installed.ts'
import { inFolder, onFreePort } from './place.ts'
import { startDaemon } from './process.ts'

export interface DnsOptions {
  /**
   * Zone name to records, one line each, as in a zone file: `www A 192.0.2.1`. Names without a
   * final dot are relative to the zone, `@` is the zone. SOA and NS are added if there is no SOA.
   */
  readonly zones: Readonly<Record<string, readonly string[]>>
}

export interface DnsServer extends AsyncDisposable {
  /** For `resolver.setServers([address])`. */
  readonly address: string
  readonly port: number
  readonly pid: number
  pids(): readonly number[]
  log(): Promise<string>
  stop(): Promise<void>
}

/** Starts NSD. Throws, with its complaint, when it does not understand a zone. */
export function startDns({ zones }: DnsOptions): Promise<DnsServer> {
  const names = Object.keys(zones)
  return onFreePort((port) =>
    inFolder('dns', async (folder) => {
      await writeFile(join(folder, 'nsd.conf'), configText({ folder, port, names }))
      for (const [index, name] of names.entries()) {
        await writeFile(join(folder, `${index}.zone`), zoneText(name, zones[name] ?? []))
      }
      return launch(folder, port)
    }),
  )
}

async function launch(folder: string, port: number): Promise<DnsServer> {
  const daemon = await startDaemon({
    command: requireCommand('nsd'),
    args: ['-d', '-c', join(folder, 'nsd.conf')],
    folder,
    ready: /nsd started/,
  })
  const log = await daemon.log()
  if (/ error: /.test(log)) {
    await daemon.stop()
    throw new Error(`nsd does not like a zone:\n${log}`)
  }
  return {
    address: `127.0.0.1:${port}`,
    port,
    pid: daemon.pid,
    pids: () => daemon.pids(),
    log: () => daemon.log(),
    stop: () => daemon.stop(),
    [Symbol.asyncDispose]: () => daemon.stop(),
  }
}

function configText(options: { folder: string; port: number; names: readonly string[] }): string {
  const { folder, port, names } = options
  const zones = names.map(
    (name, index) => `zone:\n  name: "${name}"\n  zonefile: "${index}.zone"\n`,
  )
  // Without rate limits (rrl): a test asks more often than they allow, and from one address.
  // Without database: all servers would share the one in /var/lib.
  return `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  server-count: 1
  database: ""
  zonesdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
  xfrdfile: ""
  pidfile: "${folder}/nsd.pid"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
${zones.join('')}`
}

function zoneText(name: string, records: readonly string[]): string {
  const authority = [
    '@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60',
    '@ NS ns.invalid.',
  ]
  const hasSoa = records.some((record) => /\sSOA\s/i.test(record))
  const head = [`$ORIGIN ${name.replace(/\.?$/, '.')}`, '$TTL 60', ...(hasSoa ? [] : authority)]
  return `${[...head, ...records].join('\n')}\n`
}
