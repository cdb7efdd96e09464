/**
 * For servers that look up their clients and would ask the DNS server of the machine: a mount
 * namespace with a resolver address on loopback where nobody listens; the kernel refuses at once.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findCommand } from './installed.ts'
import { run } from './process.ts'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
}

/** The same command where no DNS server answers, if we may arrange that. */
export async function withoutDns(
  folder: string,
  command: readonly [string, ...string[]],
): Promise<Command> {
  const [program, ...args] = command
  const unshare = findCommand('unshare')
  const isAllowed = unshare && (await run(unshare, ['-m', 'true'], { timeoutMs: 5_000 })).code === 0
  if (!isAllowed) return { command: program, args }
  const resolver = join(folder, 'resolv.conf')
  await writeFile(resolver, 'nameserver 127.255.255.53\noptions attempts:1 timeout:1\n')
  const script = 'mount --bind "$0" /etc/resolv.conf; exec "$@"'
  return { command: unshare, args: ['-m', 'sh', '-c', script, resolver, ...command] }
}
